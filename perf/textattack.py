"""Recipes of textattack, many sentences at once, against its own Attacker, which takes one after the other. Imports torch and textattack."""

from __future__ import annotations

import contextlib
import io
import time
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from perf.material import CPU, SEED, settle, supervised
from perf.report import Figure, Section
from windtunnel.builtins import THREATS
from windtunnel.core.batch import Batch
from windtunnel.core.network import Network
from windtunnel.core.recipe import Finetuning
from windtunnel.core.texts import Texts
from windtunnel.core.threat import MICRO_BATCH
from windtunnel.core.victim import Victim
from windtunnel.datasets.sentiment import Sentiment
from windtunnel.datasets.splitting import stratified_subset
from windtunnel.execution.workbench import features
from windtunnel.language.textattack import provided, textattack
from windtunnel.model_names import source
from windtunnel.seeding import reseed, scoped
from windtunnel.threats.text.library.recipes import RECIPES
from windtunnel.threats.text.library.textattack import LibraryTextAttack

NETWORK = "windtunnel/minilm-l6"
TRAIN, SENTENCES = 600, 100
NAMES = ("deepwordbug", "pwws")
FEWER, SHORTER, THREADS = 5.0, 0.9, 2

TEXT = """\
{network} with a linear probe trained on {train} movie snippets of `sentiment-4`, on {sentences} test snippets that it classifies rightly. Both ask
the same network through the same code, on two threads; a call is one call of the classifier, which goes through sentences of like length together.
textattack's `Attacker` takes one sentence after the other, its generators keyed for each sentence as ours are. One round each, for they take
minutes. Nearly all of the time is the network's arithmetic, which is the same on both sides: what can be won is what small batches waste.

| recipe | | calls | sentences asked about | seconds |
|---|---|---|---|---|
{rows}

Sentences for which text or queries differ: {differing}.
"""


@dataclass
class Count:
    """What one side asked of the network, and took.

    Args:
        calls, rows: of the classifier, and sentences in them.
        seconds: on the wall.
    """

    calls: int = 0
    rows: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Comparison:
    """Both sides on one recipe, and how many sentences came out otherwise."""

    name: str
    ours: Count
    theirs: Count
    differing: int


def measure() -> Section:
    """The figures for docs/performance.md."""
    settle()
    torch.set_num_threads(THREADS)
    victim, batch = _material()
    found = [compare(name, victim, batch) for name in NAMES]
    figures = [figure for each in found for figure in _figures(each)]
    rows = [
        f"| {each.name} | {side} | {count.calls} | {count.rows} | {count.seconds:.0f} |"
        for each in found
        for side, count in (("ours", each.ours), ("Attacker", each.theirs))
    ]
    differing = ", ".join(f"{each.name} {each.differing} of {len(batch)}" for each in found)
    text = TEXT.format(network=NETWORK, train=TRAIN, sentences=len(batch), rows="\n".join(rows), differing=differing)
    return Section("textattack", tuple(figures), text)


def compare(name: str, victim: Victim, batch: Batch[Texts]) -> Comparison:
    """One recipe on both sides."""
    textattack()
    threat = THREATS.load(f"textattack/{name}")()
    assert isinstance(threat, LibraryTextAttack)
    ours, theirs = Count(), Count()
    with _counted(victim, ours):
        pieces = [threat.perturb(victim, piece, Fraction(1), SEED) for piece in batch.chunks(MICRO_BATCH)]
    with provided("nltk-198", threat._wordnet()), scoped("reference"), _counted(victim, theirs):
        results = _one_by_one(name, victim, batch)
    found = [(row[0], attempt.queries) for piece in pieces for row, attempt in zip(piece.inputs, piece.attempts, strict=True)]
    wanted = [(result.perturbed_text(), result.num_queries) for result in results]
    return Comparison(name, ours, theirs, sum(one != other for one, other in zip(found, wanted, strict=True)))


def _one_by_one(name: str, victim: Victim, batch: Batch[Texts]) -> Any:
    """What `textattack.Attacker` makes of the batch."""
    import textattack as package
    from textattack.models.wrappers import ModelWrapper

    class Model(ModelWrapper):  # type: ignore[misc]  # textattack is not annotated
        """The victim as textattack sees it."""

        model = None

        def __call__(self, texts: list[str]) -> Tensor:
            return victim.logits(Texts.of(texts))

    class Keyed(package.datasets.Dataset):  # type: ignore[misc]  # textattack is not annotated
        """Keys the draws before it gives a sentence."""

        def __getitem__(self, row: int) -> Any:
            reseed(SEED, f"textattack/{name}", batch.ids[row])
            return super().__getitem__(row)

    rows = [(row[0], int(label)) for row, label in zip(batch.inputs, batch.labels, strict=True)]
    arguments = package.AttackArgs(num_examples=-1, disable_stdout=True, silent=True)
    attack = getattr(package.attack_recipes, RECIPES[name].kind).build(Model())
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return package.Attacker(attack, Keyed(rows), arguments).attack_dataset()


@contextlib.contextmanager
def _counted(victim: Victim, count: Count) -> Any:
    """Count calls, sentences and seconds."""

    def note(_module: Any, given: tuple[Any, ...]) -> None:
        count.calls += 1
        count.rows += len(given[0])

    handle = victim.network.register_forward_pre_hook(note)
    started = time.perf_counter()
    try:
        yield
    finally:
        count.seconds = time.perf_counter() - started
        handle.remove()


def _material() -> tuple[Victim, Batch[Texts]]:
    """A probed network, and sentences that it classifies rightly."""
    data = Sentiment(domain="movie").load()
    train, test = data["train"], data["test"]
    some = train.take(stratified_subset(train.labels, train.ids, TRAIN, SEED))
    val = data["val"].take(range(100))
    model = source(NETWORK).load()
    work = Finetuning(model, some, val, SEED, CPU, lambda part: features(Network(model, 1), part, CPU))
    victim = Victim(supervised("linear-probe", "text").finetune(work).network.eval())
    batch = test.take(stratified_subset(test.labels, test.ids, 2 * SENTENCES, SEED)).batch()
    right = (victim.logits(batch.inputs).argmax(1) == batch.labels).nonzero().flatten()[:SENTENCES]
    return victim, batch.take(torch.as_tensor(right))


def _figures(found: Comparison) -> list[Figure]:
    fewer, shorter = found.theirs.calls / found.ours.calls, found.ours.seconds / found.theirs.seconds
    return [
        Figure(f"{found.name}: sentences that come out otherwise than with textattack.Attacker", "0", str(found.differing), found.differing == 0),
        Figure(f"{found.name}: calls, one by one over together", f"at least {FEWER:g}", f"{fewer:.1f}", fewer >= FEWER),
        Figure(f"{found.name}: time together over one by one", f"at most {SHORTER:g}", f"{shorter:.2f}", shorter <= SHORTER),
    ]
