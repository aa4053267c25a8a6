"""Attacks: how those that tell of their attempts went: who fell, after how many questions and with how many changed words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from windtunnel.core.estimate import Estimate
from windtunnel.core.outcome import wilson
from windtunnel.metrics.intervals import averaged
from windtunnel.reporting.figures import Unavailable, cell, cut
from windtunnel.reporting.folder import RunFolder
from windtunnel.reporting.manifest import BenchmarkFacts, ThreatFacts
from windtunnel.reporting.outcomes import Attempts, Slice

STATUSES = ("skipped", "succeeded", "failed", "out of budget", "unfinished")
QUANTILES = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)


@dataclass(frozen=True)
class Distribution:
    """How a count is distributed.

    Args:
        mean: of it.
        quantiles: at QUANTILES.
    """

    mean: float
    quantiles: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle."""
        return self.quantiles[QUANTILES.index(0.5)]


@dataclass(frozen=True)
class Attack:
    """One attack at one level on one entry, over all training seeds.

    Args:
        model, recipe, benchmark, threat, level: what it belongs to.
        thresholds: the numbers that bound the attack, as it was called.
        counts: how many attempts ended how, in the order of STATUSES; together they are all samples of all seeds.
        success: share that fell of the samples that were right before, with a 95 % interval; None if none was right, or a cell failed.
        queries: over the samples that were attacked; None if there are none.
        words: changed words, over the samples that fell; None if none did.
        similarity: mean over the samples that fell, where a constraint measured it.
        reason: why there is nothing.
    """

    model: str
    recipe: str
    benchmark: str
    threat: str
    level: str
    thresholds: Mapping[str, Any]
    counts: tuple[int, ...] = ()
    success: Estimate | None = None
    queries: Distribution | None = None
    words: Distribution | None = None
    similarity: float | None = None
    reason: str = ""

    @property
    def samples(self) -> int:
        """Samples of all seeds together."""
        return sum(self.counts)


def attacks(folder: RunFolder) -> tuple[Attack, ...]:
    """Each attack that tells of its attempts, at each level, on each entry, in the order of the suite."""
    manifest = folder.manifest
    entries = [(model, recipe) for model in manifest.models for recipe in manifest.recipes]
    return tuple(
        _attack(folder, benchmark, threat, level, *entry)
        for benchmark in manifest.benchmarks
        for threat in benchmark.family("attack")
        if any(_tells(folder, benchmark, threat, *entry) for entry in entries)
        for level in threat.levels
        if level != "0"
        for entry in entries
    )


def _tells(folder: RunFolder, benchmark: BenchmarkFacts, threat: ThreatFacts, model: str, recipe: str) -> bool:
    records = [folder.cell(model, recipe, seed, benchmark.name, threat.name) for seed in folder.manifest.seeds]
    slices = [folder.outcomes.slice(record.key, threat.levels[-1]) for record in records if record is not None and record.status == "done"]
    return any(each is not None and each.attempts is not None for each in slices)


def _attack(folder: RunFolder, benchmark: BenchmarkFacts, threat: ThreatFacts, level: str, model: str, recipe: str) -> Attack:
    place = (model, recipe, benchmark.name, threat.name, level, _thresholds(threat))
    seeds = folder.manifest.seeds
    try:
        slices = [cut(folder, cell(folder, benchmark.name, threat.name, model, recipe, seed), level) for seed in seeds]
        told = [_told(each) for each in slices]
    except Unavailable as error:
        return Attack(*place, reason=str(error))
    counted = Counter(status for attempts in told for status in attempts.status)
    rates = list(_rates(told, seeds))
    # Each sample's figures, all seeds one after the other.
    status = np.array([name for attempts in told for name in attempts.status])
    fell, attacked = status == "succeeded", status != "skipped"
    queries = np.concatenate([attempts.queries for attempts in told])[attacked]
    words = np.concatenate([each.distance for each in slices])[fell]
    similarity = np.concatenate([attempts.similarity for attempts in told])[fell]
    measured = similarity[~np.isnan(similarity)]
    return Attack(
        *place,
        counts=tuple(counted[name] for name in STATUSES),
        success=averaged(rates) if len(rates) == len(seeds) else None,
        queries=_distribution(queries),
        words=_distribution(words),
        similarity=float(measured.mean()) if len(measured) else None,
    )


def _told(found: Slice) -> Attempts:
    if found.attempts is None:
        raise Unavailable("a cell does not tell how its attempts went")
    return found.attempts


def _rates(told: list[Attempts], seeds: tuple[int, ...]) -> Iterator[Estimate]:
    """The share that fell under each seed, where any sample was right before."""
    for seed, attempts in zip(seeds, told, strict=True):
        counts = Counter(attempts.status)
        right = len(attempts.status) - counts["skipped"]
        if right:
            found = wilson(counts["succeeded"], right)
            yield Estimate(found.value, found.low, found.high, right, (seed,))


def _distribution(values: np.ndarray) -> Distribution | None:
    if not len(values):
        return None
    return Distribution(float(values.mean()), tuple(np.quantile(values.astype(np.float64), QUANTILES).tolist()))


def _thresholds(threat: ThreatFacts) -> dict[str, Any]:
    """The arguments that are numbers: similarity, edit distance, budgets. The share of words is the level."""
    given = threat.arguments or {}
    return {name: value for name, value in given.items() if isinstance(value, int | float) and not isinstance(value, bool)}
