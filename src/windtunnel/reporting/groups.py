"""Groups: the worst group of each entry under a threat that puts samples into groups."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from windtunnel.core.estimate import Estimate
from windtunnel.metrics.groups import Tables, by_group, worst_group
from windtunnel.metrics.intervals import SeedPrior, seed_prior
from windtunnel.reporting.figures import Unavailable, cell, cut
from windtunnel.reporting.folder import RunFolder
from windtunnel.reporting.manifest import BenchmarkFacts, ThreatFacts


class WorstGroups:
    """The worst groups of all entries under one threat, at its largest level.

    Args:
        folder: a run's folder.
        benchmark, threat: under which.
    """

    def __init__(self, folder: RunFolder, benchmark: BenchmarkFacts, threat: ThreatFacts) -> None:
        self.folder, self.benchmark, self.threat = folder, benchmark, threat

    def estimate(self, model: str, recipe: str) -> Estimate:
        """The accuracy of an entry's worst group.

        Raises:
            Unavailable: a cell is missing or failed, seeds saw other samples, or outcomes do not tell groups.
        """
        return worst_group(self._tables(model, recipe), self.folder.manifest.seeds, self._prior)

    @cached_property
    def _prior(self) -> SeedPrior | None:
        """How much training seeds matter within a group, from all entries that have a figure."""
        found: list[np.ndarray] = []
        for model in self.folder.manifest.models:
            for recipe in self.folder.manifest.recipes:
                try:
                    found += self._tables(model, recipe)
                except Unavailable:
                    continue
        return seed_prior(found)

    def _tables(self, model: str, recipe: str) -> Tables:
        """(seed, sample) of each group."""
        name = self.threat.name
        records = [cell(self.folder, self.benchmark.name, name, model, recipe, seed) for seed in self.folder.manifest.seeds]
        slices = [cut(self.folder, record, self.threat.levels[-1]) for record in records]
        told = [(each.samples, each.groups) for each in slices if each.groups is not None]
        if len(told) < len(slices):
            raise Unavailable(f"the outcomes of {name} do not say which group a sample belongs to")
        samples, groups = told[0]
        if any(not np.array_equal(one, samples) or not np.array_equal(other, groups) for one, other in told):
            raise Unavailable(f"{name} was evaluated on other samples or groups under another seed")
        return by_group(np.stack([each.correct for each in slices]).astype(np.float64), groups)
