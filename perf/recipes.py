"""Training by recipes: the loop against others, its memory, its waiting, many settings of a head, and planning many cells. Imports torch."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from perf import bare
from perf.finetuning import material
from perf.material import SEED, Tensors, digits, finetuning, settle, supervised
from perf.report import Figure, Section
from perf.timing import Job, Times, interleave, ratio
from windtunnel.core.dataset import Splits
from windtunnel.core.network import Network
from windtunnel.core.recipe import Finetuning
from windtunnel.recipes import training
from windtunnel.recipes.ahead import ahead
from windtunnel.recipes.carrying import Members
from windtunnel.recipes.order import order
from windtunnel.recipes.search import Search
from windtunnel.recipes.supervised import Supervised

ROUNDS, SHORT = 7, 3
EPOCHS = 2
SETTINGS = 20
CELLS = 10_000
RESNET, MINILM = "windtunnel/micro-resnet", "windtunnel/minilm-l6"

TEXT = """\
**The loop.** The recipe `full` for {epochs} epochs on {resnet} and the 1078 training digits, validation after each epoch included, against a plain
loop over tensors in memory with PyTorch's AdamW, and against the step of timm's training script (`timm.optim.create_optimizer_v2`, its
cross-entropy, its running mean of the loss) over the same batches. {rounds} interleaved rounds, one thread. `transformers.Trainer` on minilm-l6
is measured by the section *finetuning*.

**Memory.** Peak resident memory of a process that fine-tunes {minilm} by `full` for an epoch on 256 snippets, against one that does the same by
the plain loop.

**Waiting.** Share of a training's time in which the steps wait for the next minibatch, with `randaugment` on {resnet}; minibatches are made in a
thread of their own.

**Many heads.** {settings} learning rates of `linear-probe` by the recipe `search`, against one `linear-probe`: the features are computed once.

**Planning.** The suite `recipes-vision` with so many seeds that it has {cells:,} cells, planned after one of its recipes changed: every key is
computed, and the store asked for it.
"""


def measure(rounds: int = ROUNDS) -> Section:
    """All of it."""
    settle()
    data = digits()
    figures = [*loops(data, rounds), memory(), waiting(data), *heads(data), planning()]
    text = TEXT.format(epochs=EPOCHS, resnet=RESNET, minilm=MINILM, rounds=rounds, settings=SETTINGS, cells=CELLS)
    return Section("recipes", tuple(figures), text)


def loops(data: Splits, rounds: int) -> list[Figure]:
    """Samples per second against a plain loop and timm's step."""
    recipe, train, val = supervised("full", epochs=EPOCHS), Tensors.of(data["train"]), Tensors.of(data["val"])
    found = interleave(
        [
            Job("ours", recipe.finetune, lambda: finetuning(RESNET, data)),
            Job("plain", lambda work: bare.train_all(work, recipe, train, val), lambda: finetuning(RESNET, data)),
            Job("timm", lambda work: timm_loop(work, recipe, train, val), lambda: finetuning(RESNET, data)),
        ],
        rounds,
    )
    count = EPOCHS * len(train.labels)
    return [_rate(f"full on micro-resnet: samples per second, over those of {name}", found["ours"], found[key], count) for key, name in _OTHERS]


_OTHERS = (("plain", "a plain PyTorch loop"), ("timm", "the step of timm's training script"))


def _rate(name: str, ours: Times, theirs: Times, count: int) -> Figure:
    faster = ratio(theirs, ours)
    measured = f"{faster.medians:.2f} times ({faster.low:.2f} to {faster.high:.2f}): {count / ours.median:.0f} against {count / theirs.median:.0f}"
    return Figure(name, "at least 1", measured, faster.medians >= 1)


def timm_loop(work: Finetuning, recipe: Supervised, train: Tensors, val: Tensors) -> Network:
    """What timm's script does in each update, without mixed precision, averages and logging."""
    from timm.optim import create_optimizer_v2
    from timm.utils import AverageMeter

    network = Network(work.model, len(work.train.classes), seed=SEED)
    optimizer = create_optimizer_v2(network, opt="adamw", lr=recipe.lr, weight_decay=recipe.weight_decay)
    loss_of = nn.CrossEntropyLoss()
    for epoch in range(1, recipe.epochs + 1):
        network.train()
        losses = AverageMeter()
        for rows in order(len(train.labels), recipe.batch, SEED, epoch):
            place = torch.from_numpy(rows)
            inputs, labels = train.inputs[place], train.labels[place]
            loss = loss_of(network(inputs), labels)
            losses.update(loss.item(), len(rows))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        network.eval()
        bare.accuracy(network, val)
    return network


def memory() -> Figure:
    """Peak of two processes."""
    ours, theirs = (statistics.median(_peak(how) for _ in range(SHORT)) for how in ("ours", "plain"))
    more = ours / theirs - 1
    name = "fine-tuning minilm-l6: peak memory, over that of a plain PyTorch loop"
    return Figure(name, "within 5%", f"{more:+.1%}: {ours:.0f} against {theirs:.0f} MB", more <= 0.05)


def _peak(how: str) -> float:
    found = subprocess.run([sys.executable, "-m", "perf.recipes", how], capture_output=True, text=True, check=True)
    return float(found.stdout.split()[-1])


def train_once(how: str) -> None:
    """Fine-tune in this process, and print its peak in MB."""
    import resource

    settle()
    whole = material()
    data = replace(whole, splits={**whole.splits, "train": whole["train"].take(range(256)), "val": whole["val"].take(range(64))})
    recipe, work = supervised("full", "text", epochs=1), finetuning(MINILM, data)
    if how == "ours":
        recipe.finetune(work)
    else:
        plain_texts(work, recipe)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def plain_texts(work: Finetuning, recipe: Supervised) -> None:
    """The loop that a user writes, with the best weights copied."""
    import copy

    network = Network(work.model, len(work.train.classes), seed=SEED).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay)
    for rows in order(len(work.train), recipe.batch, SEED, 1):
        batch = work.train.batch(rows)
        loss = nn.functional.cross_entropy(network(batch.inputs), batch.labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch does not annotate it
        optimizer.step()
    network.eval()
    with torch.no_grad():
        network(work.val.batch().inputs)
    copy.deepcopy(network.state_dict())


def waiting(data: Splits) -> Figure:
    """Time spent in asking for the next minibatch."""
    waited = 0.0

    def timed(items: Iterator[Any]) -> Iterator[Any]:
        nonlocal waited
        source = ahead(items)
        while True:
            started = time.perf_counter()
            try:
                item = next(source)
            except StopIteration:
                return
            finally:
                waited += time.perf_counter() - started
            yield item

    shares = []
    for _ in range(SHORT):
        waited = 0.0
        vars(training)["ahead"] = timed  # the same but for a clock
        try:
            work = finetuning(RESNET, data)
            started = time.perf_counter()
            supervised("randaugment", epochs=4).finetune(work)
            shares.append(waited / (time.perf_counter() - started))
        finally:
            vars(training)["ahead"] = ahead
    share = statistics.median(shares)
    return Figure("randaugment on micro-resnet: time spent waiting for minibatches", "under 5%", f"{share:.1%}", share < 0.05)


def heads(data: Splits) -> list[Figure]:
    """One setting of a linear probe against many."""
    texts = material()
    return [_heads(RESNET, "image", data), _heads(MINILM, "text", texts)]


def _heads(network: str, modality: str, data: Splits) -> Figure:
    one = supervised("linear-probe", modality)
    rates = [1e-3 * 1.4**step for step in range(SETTINGS)]
    many = Search(of=(one,), space={"lr": rates}, sampler="grid", trials=SETTINGS)
    found = interleave([Job("one", one.finetune, lambda: _cached(network, data)), Job("many", many.finetune, lambda: _cached(network, data))], SHORT)
    more = ratio(found["many"], found["one"])
    measured = f"{more.medians:.2f} times ({more.low:.2f} to {more.high:.2f}): {found['many']} against {found['one']}"
    return Figure(f"{SETTINGS} settings of a linear probe, {network}: time, over that of one", "under 2", measured, more.medians < 2)


def _cached(network: str, data: Splits) -> Finetuning:
    """Material whose features are computed once, for all members."""
    work, kept = finetuning(network, data), {}

    def features(part: Any) -> torch.Tensor:
        if part.name not in kept:
            kept[part.name] = work.features(part)
        found: torch.Tensor = kept[part.name]
        return found

    return Members(lambda recipe, seed: replace(work, seed=seed, features=features)).fitted(replace(work, features=features))


def planning() -> Figure:
    """A suite of many cells, planned from known facts."""
    import tempfile
    from pathlib import Path

    from windtunnel.catalog import Catalog
    from windtunnel.execution.facts import Facts
    from windtunnel.execution.plan import plan, sources
    from windtunnel.execution.store import Store
    from windtunnel.execution.workbench import Workbench
    from windtunnel.specs import load_suite

    suite = load_suite("recipes-vision", Catalog())
    each = len(plan(suite, Facts(Store(Path(tempfile.mkdtemp())))).cells) // len(suite.seeds)
    suite = replace(suite, seeds=tuple(range(-(-CELLS // each))))
    with tempfile.TemporaryDirectory() as place:
        store = Store(Path(place))
        bench = Workbench(store)
        for source in sources(suite):
            bench.prepare(source)
        seconds, cells = [], 0
        for number in range(SHORT):
            recipes = {**suite.recipes, "full": replace(suite.recipes["full"], epochs=20 + number)}  # type: ignore[type-var]  # recipes are dataclasses
            started = time.perf_counter()
            planned = plan(replace(suite, recipes=recipes), Facts(store))
            cells = sum(1 for cell in planned.cells if cell.key and not store.has(cell.key))
            seconds.append(time.perf_counter() - started)
    median = statistics.median(seconds)
    return Figure(f"planning {cells:,} cells after one recipe changed", "under 2 s", f"{median:.2f} s", median < 2)


if __name__ == "__main__":
    train_once(sys.argv[1])
