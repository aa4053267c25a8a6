"""Attacks against what users take instead: AutoAttack against pyautoattack, PGD and APGD against torchattacks and foolbox, sweeps. Imports torch."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial

import numpy as np
import torch
import torchattacks
from torch import Tensor, nn

from perf import bare
from perf.material import CPU, SEED, settle, supervised
from perf.report import Figure, Section
from perf.timing import Job, Ratio, interleave, ratio
from windtunnel.builtins import DATASETS, THREATS
from windtunnel.core.batch import Batch
from windtunnel.core.dataset import Splits
from windtunnel.core.network import Network
from windtunnel.core.recipe import Finetuning
from windtunnel.core.threat import MICRO_BATCH, Threat
from windtunnel.core.victim import Victim
from windtunnel.datasets.splitting import stratified_subset
from windtunnel.model_names import source

NETWORK = "windtunnel/micro-resnet"
TRAIN = 1500
SAMPLES = 400
SHORT = 200
"""Samples of what is measured in rounds."""
TRAINED = Fraction(24, 255)
EPS = Fraction(40, 255)
PGD_STEPS, APGD_STEPS = 40, 100
STEP = 2.5 / PGD_STEPS
RADII = tuple(EPS * share / 8 for share in (1, 2, 4, 6, 8))
NEAR = tuple(TRAINED * share / 8 for share in (1, 2, 4, 6, 8))
ROUNDS = 3
BATCH = 250

TEXT = """\
{network} on `mnist5k`, fine-tuned on {train} digits: *robust* by `pgd-at` at Linf {trained}, *fragile* by `full`. All sides attack the same
test digits at Linf {eps}, the same module, on one thread. Robust accuracy is judged by the module's answers to what each side returns, with
the same code for all; points outside the ball or the range count as not found.

- **AutoAttack**, standard version, on {samples} digits and once on each side: it takes
  minutes. `pyautoattack` gets batches of {batch} and, like ours, attacks only those that its earlier members left standing. Its apgd
  members go on with samples that are broken until all their steps are done, ours let a sample go at once.
- On {short} digits: **PGD** with {pgd} steps of eps / 16 from a random start, against `torchattacks.PGD` and foolbox' `LinfPGD` with the
  same; **APGD** with {apgd} steps on cross-entropy against `torchattacks.APGD` (foolbox has none).
  {rounds} interleaved rounds; the faster peer counts.
- **Sweep**: APGD on {short} digits at {count} radii against the largest alone, on the robust network; once up to the radius it was trained
  with, {trained}, once beyond, up to {eps}. A sample that falls at the largest radius must still be attacked in vain at the radius where it
  stands, a whole search for each; the row says how often the largest radius' searches that alone comes to.

What came out:

{notes}
"""


@dataclass(frozen=True)
class Found:
    """What one side made of the samples.

    Args:
        stands: whether each sample is still classified rightly, (n,).
        seconds: it took; 0 where it was timed elsewhere.
    """

    stands: np.ndarray
    seconds: float = 0.0

    @property
    def accuracy(self) -> float:
        """Robust accuracy in per cent."""
        return 100 * float(self.stands.mean())


def measure(rounds: int = ROUNDS) -> Section:
    """AutoAttack once, the others in rounds."""
    settle()
    warnings.filterwarnings("ignore")  # about what peers do with newer versions of what they stand on
    batch, few = samples(SAMPLES), samples(SHORT)
    notes: list[str] = []
    figures: list[Figure] = []
    for kind, at_most in (("robust", 0.7), ("fragile", 0.2)):
        figures += _autoattack(kind, EPS, at_most, batch, notes)
    for kind, at_most in (("robust", 0.8), ("fragile", 0.3)):
        figures += _simple(kind, EPS, at_most, few, notes, rounds)
    figures += [_sweep(radii, few, notes, rounds) for radii in (NEAR, RADII)]
    counts = {"train": TRAIN, "samples": len(batch), "short": SHORT, "batch": BATCH, "pgd": PGD_STEPS, "apgd": APGD_STEPS, "count": len(RADII)}
    text = TEXT.format(network=NETWORK, trained=TRAINED, eps=EPS, rounds=rounds, notes="\n".join(notes), **counts)
    return Section("attacks", tuple(figures), text)


@cache
def data() -> Splits:
    """The digits, with a small training split."""
    splits = DATASETS.load("mnist5k")().load()
    train = splits["train"]
    small = train.take(stratified_subset(train.labels, train.ids, TRAIN, SEED))
    return dataclasses.replace(splits, splits={**splits.splits, "train": small})


def samples(count: int) -> Batch:
    """Test digits that are attacked."""
    test = data()["test"]
    return test.take(stratified_subset(test.labels, test.ids, count, SEED)).batch()


@cache
def network(kind: str) -> nn.Module:
    """The robust or the fragile network, frozen."""
    model = source(NETWORK).load()

    def unused(part: object) -> Tensor:
        raise AssertionError("these recipes train the whole network")

    work = Finetuning(model, data()["train"], data()["val"], SEED, CPU, unused)
    recipe = supervised("pgd-at", epochs=10, eps=TRAINED, steps=5) if kind == "robust" else supervised("full", epochs=5)
    trained: Network = recipe.finetune(work).network
    return trained.requires_grad_(False)


def judged(module: nn.Module, batch: Batch, points: Tensor, eps: Fraction) -> np.ndarray:
    """Whether samples stand: by the module's own answers, counting only points within the ball and the range."""
    moved = (points - batch.inputs).abs().flatten(1).amax(1)
    fair = (moved <= float(eps) + 1e-5) & (points.flatten(1).amin(1) >= 0) & (points.flatten(1).amax(1) <= 1)
    inside = torch.where(fair[:, None, None, None], points, batch.inputs)
    with torch.no_grad():
        before, after = (bare.answers(module, torch.split(inputs, MICRO_BATCH)) for inputs in (batch.inputs, inside))
    return ((before == batch.labels) & (after == batch.labels)).numpy()


def _timed(work: Callable[[], Tensor]) -> tuple[Tensor, float]:
    import time

    started = time.perf_counter()
    found = work()
    return found, time.perf_counter() - started


def _ours(threat: Threat, module: nn.Module, batch: Batch) -> Tensor:
    found: Tensor = threat(Victim(module), batch, seed=SEED, keep=True).perturbed
    return found


def _threat(name: str, eps: tuple[Fraction, ...], **arguments: object) -> Threat:
    return THREATS.load(name)(eps=eps, **arguments)  # type: ignore[call-arg]  # the table knows nouns, not their arguments


def _pyautoattack(module: nn.Module, batch: Batch, eps: Fraction) -> Tensor:
    from pyautoattack import AutoAttack

    attack = AutoAttack(module, version="standard", norm="Linf", eps=float(eps), seed=SEED, device="cpu")
    found = attack.run_standard_evaluation(batch.inputs, batch.labels, batch_size=BATCH)
    points: Tensor = found[0] if isinstance(found, tuple) else found
    return points.detach()


def _autoattack(kind: str, eps: Fraction, at_most: float, batch: Batch, notes: list[str]) -> list[Figure]:
    module = network(kind)
    sides = {}
    for name, work in (
        ("ours", partial(_ours, _threat("autoattack", (eps,)), module, batch)),
        ("theirs", partial(_pyautoattack, module, batch, eps)),
    ):
        points, seconds = _timed(work)
        sides[name] = Found(judged(module, batch, points, eps), seconds)
    ours, theirs = sides["ours"], sides["theirs"]
    same = 100 * float((ours.stands == theirs.stands).mean())
    share = ours.seconds / theirs.seconds
    notes.append(f"- AutoAttack, {kind}: robust accuracy {ours.accuracy:.1f} % (ours) and {theirs.accuracy:.1f} % (pyautoattack).")
    apart = ours.accuracy - theirs.accuracy
    took = f"{share:.2f} ({ours.seconds:.0f} s against {theirs.seconds:.0f} s)"
    return [
        Figure(f"AutoAttack, {kind}: share of pyautoattack's time", f"at most {at_most}", took, share <= at_most),
        Figure(f"AutoAttack, {kind}: same verdict as pyautoattack", "at least 99.5 % of the samples", f"{same:.1f} %", same >= 99.5),
        Figure(f"AutoAttack, {kind}: robust accuracy against pyautoattack's", "at most 0.5 points higher", f"{apart:+.1f} points", apart <= 0.5),
    ]


def _foolbox_pgd(module: nn.Module, batch: Batch, eps: Fraction) -> Tensor:
    import foolbox

    model = foolbox.PyTorchModel(module, bounds=(0, 1))
    attack = foolbox.attacks.LinfPGD(steps=PGD_STEPS, rel_stepsize=STEP, random_start=True)
    _, points, _ = attack(model, batch.inputs, batch.labels, epsilons=float(eps))
    found: Tensor = points
    return found.detach()


def _peers(module: nn.Module, batch: Batch, eps: Fraction) -> dict[str, dict[str, Callable[[], Tensor]]]:
    """Attack -> side -> what makes its points."""
    pgd = _threat("pgd", (eps,), steps=PGD_STEPS)
    apgd = _threat("apgd", (eps,), steps=APGD_STEPS)
    library = partial(torchattacks.PGD, module, eps=float(eps), alpha=STEP * float(eps), steps=PGD_STEPS)
    adaptive = partial(torchattacks.APGD, module, eps=float(eps), steps=APGD_STEPS, seed=SEED)
    return {
        "PGD": {
            "ours": partial(_ours, pgd, module, batch),
            "torchattacks": lambda: library()(batch.inputs, batch.labels),
            "foolbox": partial(_foolbox_pgd, module, batch, eps),
        },
        "APGD": {"ours": partial(_ours, apgd, module, batch), "torchattacks": lambda: adaptive()(batch.inputs, batch.labels)},
    }


def _simple(kind: str, eps: Fraction, at_most: float, batch: Batch, notes: list[str], rounds: int) -> list[Figure]:
    module = network(kind)
    figures = []
    for name, sides in _peers(module, batch, eps).items():
        with torch.random.fork_rng():
            torch.manual_seed(SEED)
            stands = {side: 100 * float(judged(module, batch, work(), eps).mean()) for side, work in sides.items()}
        times = interleave([Job(side, partial(_call, work)) for side, work in sides.items()], rounds)
        fastest = min((side for side in sides if side != "ours"), key=lambda side: times[side].median)
        found: Ratio = ratio(times["ours"], times[fastest])
        least = min(stands[side] for side in sides if side != "ours")
        apart = stands["ours"] - least
        notes.append(f"- {name}, {kind}: robust accuracy {', '.join(f'{value:.1f} % ({side})' for side, value in stands.items())}.")
        figures += [
            Figure(
                f"{name}, {kind}: share of the faster peer's time",
                f"at most {at_most}",
                f"{found.medians:.2f} ({found.low:.2f} to {found.high:.2f}): {times['ours']} against {times[fastest]} of {fastest}",
                found.medians <= at_most,
            ),
            Figure(f"{name}, {kind}: robust accuracy against the strongest peer's", "within 0.5 points", f"{apart:+.1f} points", apart <= 0.5),
        ]
    return figures


def _call(work: Callable[[], Tensor], _: None) -> Tensor:
    return work()


def _sweep(radii: tuple[Fraction, ...], batch: Batch, notes: list[str], rounds: int) -> Figure:
    module = network("robust")
    several, alone = _threat("apgd", radii, steps=APGD_STEPS), _threat("apgd", radii[-1:], steps=APGD_STEPS)
    times = interleave(
        [Job("several", lambda _: several(Victim(module), batch, seed=SEED)), Job("alone", lambda _: alone(Victim(module), batch, seed=SEED))], rounds
    )
    found = ratio(times["several"], times["alone"])
    outcome = several(Victim(module), batch, seed=SEED)
    right, stands = int((outcome.clean_predicted == outcome.labels).sum()), int(outcome.correct[-1].sum())
    spent = ", ".join(f"{100 * value:.1f} % at {radius}" for radius, value in zip(radii, outcome.correct.mean(1), strict=True))
    notes.append(f"- Sweep up to {radii[-1]}: robust accuracy {spent}; searches in vain {right / stands:.2f} times those at the largest radius.")
    return Figure(
        f"sweep of {len(radii)} radii up to {radii[-1]}, where {100 * stands / len(batch):.0f} % stand, against the largest alone",
        "at most 1.5 times",
        f"{found.medians:.2f} ({found.low:.2f} to {found.high:.2f}): {times['several']} against {times['alone']}",
        found.medians <= 1.5,
    )
