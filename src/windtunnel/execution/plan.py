"""Plan: the cells of a suite with their keys; no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from windtunnel.builtins import DATASETS
from windtunnel.core import canonical
from windtunnel.core.cell import SEARCH_VERSION, Cell, Labels
from windtunnel.core.classes import groups
from windtunnel.core.dataset import DataSource
from windtunnel.core.model import ModelSource
from windtunnel.core.suite import Benchmark, DataRef, Suite, Training
from windtunnel.core.threat import Threat
from windtunnel.datasets.reference import parse_reference
from windtunnel.datasets.splitting import stratified_subset
from windtunnel.errors import DataError, ModelError, RecipeError
from windtunnel.execution.facts import DataFacts, Facts, ModelFacts, material
from windtunnel.execution.work import Evaluate, Finetune, Samples, Work, computed_by, members, trained, untrained

# What is assumed of a split while the data was never loaded; only for estimates of effort.
ASSUMED_TRAIN = 1000
ASSUMED_TEST = 500


@dataclass(frozen=True)
class Plan:
    """Everything a suite asks for.

    Args:
        suite: what was planned.
        work: fine-tuning cells, each followed by its evaluations.
        samples: benchmark name -> the samples of its own data.
        data: facts of the suite's data, if known.
        models: shown model name -> facts, where known.
    """

    suite: Suite
    work: tuple[Work, ...]
    samples: Mapping[str, Samples]
    data: DataFacts | None
    models: Mapping[str, ModelFacts]

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """All cells, in order."""
        return tuple(item.cell for item in self.work)

    @property
    def complete(self) -> bool:
        """Whether every cell has its key."""
        return all(cell.content is not None for cell in self.cells)


def sources(suite: Suite) -> Iterator[DataSource | ModelSource]:
    """Every data set and model that the suite touches, each once."""
    seen: set[str] = set()
    found: list[DataSource | ModelSource] = [suite.data, *suite.models.values()]
    for benchmark in suite.benchmarks:
        found.append(_reference(suite, benchmark).source)
        found += [_data_of(suite, benchmark, threat).source for threat in benchmark.threats.values()]
    for source in found:
        name = canonical.dumps(source.describe())
        if name not in seen:
            seen.add(name)
            yield source


def plan(suite: Suite, facts: Facts) -> Plan:
    """The cells of `suite`; those whose data or weights are still unknown have no key yet.

    Raises:
        DataError: a shift whose classes are not the suite's, a subset larger than its split, or training data that a condition cannot act on.
        ModelError: a model of another modality than the data.
        RecipeError: a recipe that is selected by what the suite reports on.
    """
    return _Planner(suite, facts).plan()


@dataclass(frozen=True)
class _Evaluation:
    """What every victim is put through in the same way.

    Args:
        described: the threat as it enters keys; plain data, so that ten thousand cells need not work it out again.
        effort: rough number of passes.
    """

    benchmark: Benchmark
    name: str
    threat: Threat
    samples: Samples
    described: Mapping[str, Any]
    effort: float

    @classmethod
    def of(cls, benchmark: Benchmark, name: str, threat: Threat, samples: Samples) -> _Evaluation:
        effort = samples.count * (1 + len(threat.levels) + _searches(threat) * threat.passes())
        return cls(benchmark, name, threat, samples, threat.describe(), effort)


class _Planner:
    def __init__(self, suite: Suite, facts: Facts) -> None:
        self.suite, self.facts = suite, facts
        self.data = facts.data(suite.data)
        self.models = {name: facts.model(source) for name, source in suite.models.items()}
        self.checked: set[tuple[str, str]] = set()

    def plan(self) -> Plan:
        for name, facts in self.models.items():
            if facts is not None and facts.modality != self.suite.data.modality:
                held = self.suite.data.modality
                raise ModelError(f"The model {name!r} takes {facts.modality} inputs, but the suite's data {self.suite.data.title} holds {held}s.")
        for name, how in self.suite.recipes.items():
            for why in self.suite.forbidden(how):
                raise RecipeError(f"{name}: {why}")
        samples = {b.name: self.samples(_reference(self.suite, b), b.samples, b.seed, ASSUMED_TEST) for b in self.suite.benchmarks}
        evaluations = [
            _Evaluation.of(benchmark, name, threat, self._samples_of(benchmark, threat, samples[benchmark.name]))
            for benchmark in self.suite.benchmarks
            for name, threat in self._threats(benchmark)
        ]
        work: list[Work] = []
        for model in self.suite.models:
            for recipe in self.suite.trainings:
                for seed in self.suite.seeds:
                    finetune = self._finetune(model, recipe, seed)
                    work.append(finetune)
                    work += [self._evaluate(finetune, self._surrogate(each.threat, seed), each) for each in evaluations]
        known = {name: facts for name, facts in self.models.items() if facts is not None}
        return Plan(self.suite, tuple(work), samples, self.data, known)

    def _threats(self, benchmark: Benchmark) -> Iterator[tuple[str, Threat]]:
        from windtunnel.builtins import THREATS

        yield "clean", THREATS.load("clean")()
        yield from benchmark.threats.items()

    def samples(self, data: DataRef, count: int | None, seed: int, assumed: int, key: str = "samples") -> Samples:
        """The stratified, seeded subset of a split."""
        facts = self.facts.data(data.source)
        if facts is None:
            return Samples(data, None, count or assumed)
        self._same_classes(data, facts)
        ids, labels = facts.split(data.split)
        if count is not None and count > len(ids):
            raise DataError(f"{data} has {len(ids)} samples, fewer than the {count} asked for. Ask for at most {len(ids)}, or leave `{key}` out.")
        rows = (
            tuple(range(len(ids))) if count is None else tuple(int(row) for row in stratified_subset(np.asarray(labels, np.int64), ids, count, seed))
        )
        return Samples(data, rows, len(rows), facts.fingerprint, canonical.sha256([ids[row] for row in rows]))

    def _samples_of(self, benchmark: Benchmark, threat: Threat, own: Samples) -> Samples:
        data = _data_of(self.suite, benchmark, threat)
        if threat.elsewhere is None:
            return own
        facts = self.facts.data(data.source)
        available = None if facts is None else len(facts.split(data.split)[0])
        count = benchmark.samples if available is None or benchmark.samples is None else min(benchmark.samples, available)
        return self.samples(data, count, benchmark.seed, ASSUMED_TEST)

    def _same_classes(self, data: DataRef, facts: DataFacts) -> None:
        if self.data is not None:
            try:
                groups(self.data.classes, facts.classes)
            except DataError as error:
                raise DataError(f"{data} does not fit the suite's data {self.suite.data.title}: {error}") from error

    @cached_property
    def train(self) -> Samples:
        """The samples that recipes train on."""
        return self.samples(DataRef(self.suite.data, "train"), self.suite.samples, 0, ASSUMED_TRAIN)

    @cached_property
    def val(self) -> Samples:
        """The samples that recipes select on."""
        split = "val" if self.suite.selection == "id-val" else "test"
        return self.samples(DataRef(self.suite.data, split), self.suite.val_samples, 0, ASSUMED_TEST, "val_samples")

    def _finetune(self, model: str, recipe: str, seed: int) -> Finetune:
        source, training = self.suite.models[model], self.suite.trainings[recipe]
        how, condition = training.how, training.under
        train, val = (self.train, self.val) if how.trains else (None, None)
        cell = Cell("finetune", Labels(model, recipe, seed), None, how.passes(self._trained_on(train, training)))
        facts = self.models[model]
        if facts is not None and self.data is not None and (train is None or train.indices is not None):
            self._check(model, recipe, facts, self.data, train)
            seen = untrained(self.data.classes)
            if train is not None:
                seen = {"fingerprint": self.data.fingerprint, "train": train.sha256, "selection": self.val.sha256}
            identity = {"identity": source.identity(), "weights": facts.weights_sha256, "preprocessing": facts.preprocessing}
            cell = replace(cell, content=trained(identity, source, how, seen, seed, self.suite.threads, condition))
            work = Finetune(cell, source, how, self.suite.data, train, val, seed, condition)
            cell = replace(cell, needs=tuple(dict.fromkeys(member.cell.key for member in members(work, self.data.classes))))
        return Finetune(cell, source, how, self.suite.data, train, val, seed, condition)

    def _trained_on(self, train: Samples | None, training: Training) -> int:
        """How many samples a training sees in one epoch.

        Raises:
            DataError: its condition cannot act on them.
        """
        if train is None or training.under is None:
            return train.count if train else 0
        if train.indices is None or self.data is None:
            return train.count
        labels = np.asarray(self.data.split("train")[1], np.int64)[list(train.indices)]
        try:
            training.under.check(labels, self.data.classes)
        except DataError as error:
            raise DataError(f"The condition {training.condition!r} does not fit {train.data}: {error}") from error
        return training.under.kept(labels)

    def _check(self, model: str, recipe: str, facts: ModelFacts, data: DataFacts, train: Samples | None) -> None:
        """Let the recipe refuse what it cannot work on, before anything is computed."""
        if train is None or train.indices is None or (model, recipe) in self.checked:
            return
        self.checked.add((model, recipe))
        labels = [data.split("train")[1][row] for row in train.indices]
        given = material(model, self.suite.data.title, facts.layers, facts.blocks, labels, len(data.classes), self.val.count)
        try:
            self.suite.trainings[recipe].how.check(given)
        except RecipeError as error:
            raise RecipeError(f"The recipe {recipe!r}: {error}") from error

    def _surrogate(self, threat: Threat, seed: int) -> Finetune | None:
        """The fine-tuning that a transfer attack follows, which the suite must hold."""
        found = self.suite.surrogate(threat)
        return None if found is None else self._finetune(*found, seed)

    def _evaluate(self, finetune: Finetune, surrogate: Finetune | None, each: _Evaluation) -> Evaluate:
        trained, threat, samples = finetune.cell.labels, each.threat, each.samples
        labels = Labels(trained.model, trained.recipe, trained.seed, each.benchmark.name, each.name, threat.family)
        known = [victim.cell for victim in (finetune, surrogate) if victim is not None]
        content: dict[str, Any] | None = None
        needs: tuple[str, ...] = ()
        if all(victim.content is not None for victim in known) and samples.indices is not None:
            needs = tuple(victim.key for victim in known)
            content = {
                "victim": finetune.cell.key,
                "threat": each.described,
                "data": {"fingerprint": samples.fingerprint, "split": samples.data.split, "samples": samples.sha256},
                "seed": each.benchmark.seed,
                **computed_by(self.suite.threads, finetune.model.computed_with, threat.libraries),
                **({} if surrogate is None else {"surrogate": surrogate.cell.key}),
                **({"search": SEARCH_VERSION} if threat.adaptive else {}),
            }
        return Evaluate(Cell("evaluate", labels, content, each.effort, needs), finetune, threat, samples, each.benchmark.seed, surrogate)


def _searches(threat: Threat) -> float:
    """How many whole searches a threat's levels come to: an attack sweeps its radii from the largest down, and searches little at the others."""
    levels = len(threat.levels)
    if not threat.adaptive or threat.transfer:
        return levels
    return 1.0 if threat.minimal else 1 + (levels - 1) / 8


def _reference(suite: Suite, benchmark: Benchmark) -> DataRef:
    """A benchmark's own data; the suite's where it says so, or where it means the same."""
    return benchmark.data if benchmark.data is not None else DataRef(suite.data, benchmark.split)


def _data_of(suite: Suite, benchmark: Benchmark, threat: Threat) -> DataRef:
    """What a threat is evaluated on: another data set for a natural shift, the benchmark's own otherwise."""
    if threat.elsewhere is None:
        return _reference(suite, benchmark)
    name, split = parse_reference(threat.elsewhere)
    return DataRef(DATASETS.load(name)(**threat.elsewhere_options), split or "test")
