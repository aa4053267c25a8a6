"""Leaderboard: every model x recipe with its figures, ranked with ties where the data cannot separate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from windtunnel.core.estimate import Estimate
from windtunnel.metrics.intervals import seed_prior
from windtunnel.metrics.paired import compare, holm
from windtunnel.reporting.attacks import Attack, attacks
from windtunnel.reporting.columns import Column, columns
from windtunnel.reporting.details import Detail, details
from windtunnel.reporting.figures import Figure, Table, figures
from windtunnel.reporting.folder import RunFolder
from windtunnel.reporting.measures import Measure, measures

LEVEL = 0.05
"""The level of every test, after correction for the number of comparisons."""


@dataclass(frozen=True)
class Entry:
    """One model fine-tuned by one recipe, over all its seeds.

    Args:
        model, recipe: shown names.
        rank: 1 + the number of entries significantly better on the first headline; None where that is unavailable.
        figures: column name -> figure.
    """

    model: str
    recipe: str
    rank: int | None
    figures: Mapping[str, Figure]

    @property
    def name(self) -> str:
        """How it is addressed, e.g. "windtunnel/micro-resnet/lp-ft"."""
        return f"{self.model}/{self.recipe}"


@dataclass(frozen=True)
class Pair:
    """A paired comparison of two entries on one column.

    Args:
        left, right: names of the entries, left the better one.
        difference: left minus right.
        p_value: before correction.
        corrected: after Holm's correction over all pairs of the column.
        test: how it was computed.
    """

    left: str
    right: str
    difference: Estimate
    p_value: float
    corrected: float
    test: str

    @property
    def separated(self) -> bool:
        """Whether the data tells the two apart."""
        return self.corrected < LEVEL


@dataclass(frozen=True)
class Leaderboard:
    """What a run found.

    Args:
        suite: its name.
        columns: the first is the headline that ranks.
        entries: best first; those without a headline figure last.
        pairs: every two entries compared on the headline.
        details: figures of further metrics on clean samples.
        measures: corruption errors, areas under curves, median distances and costs.
        attacks: how those that tell of their attempts went.
    """

    suite: str
    columns: tuple[Column, ...]
    entries: tuple[Entry, ...]
    pairs: tuple[Pair, ...]
    details: tuple[Detail, ...]
    measures: tuple[Measure, ...]
    attacks: tuple[Attack, ...] = ()

    @classmethod
    def of(cls, folder: RunFolder) -> Leaderboard:
        """The leaderboard of a run's or a published folder."""
        manifest = folder.manifest
        chosen = columns(manifest)
        names = [(model, recipe) for model in manifest.models for recipe in manifest.recipes]
        table = {column.name: figures(folder, column, names) for column in chosen}
        entries = [Entry(*name, None, {column: found[place] for column, found in table.items()}) for place, name in enumerate(names)]
        pairs = compared(entries, chosen[0].name)
        beaten = {entry.name: 1 + sum(pair.separated and pair.right == entry.name for pair in pairs) for entry in entries}
        ranked = [Entry(e.model, e.recipe, beaten[e.name] if value(e, chosen[0].name) is not None else None, e.figures) for e in entries]
        # Sorting is stable: equal figures keep the suite's order.
        ranked.sort(key=lambda entry: _order(entry, chosen[0].name))
        return cls(manifest.suite, chosen, tuple(ranked), pairs, details(folder), measures(folder), attacks(folder))

    @property
    def headline(self) -> Column:
        """The column that ranks."""
        return self.columns[0]

    def column(self, name: str) -> Column | None:
        """The column of that name, or None."""
        return next((column for column in self.columns if column.name == name), None)

    def entry(self, name: str) -> Entry | None:
        """The entry addressed by "model/recipe", or None."""
        return next((entry for entry in self.entries if entry.name == name), None)

    @property
    def tied_first(self) -> tuple[Entry, ...]:
        """The entries that the data cannot tell from the best."""
        return tuple(entry for entry in self.entries if entry.rank == 1)


def value(entry: Entry, column: str) -> float | None:
    """An entry's figure in a column, or None."""
    estimate = entry.figures[column].estimate
    return None if estimate is None else estimate.value


def compared(entries: list[Entry] | tuple[Entry, ...], column: str) -> tuple[Pair, ...]:
    """Every two entries that have a figure in `column`, compared on the same samples and seeds."""
    able: list[tuple[Entry, Table, Estimate]] = []
    for entry in entries:
        figure = entry.figures[column]
        if figure.estimate is not None and figure.table is not None:
            able.append((entry, figure.table, figure.estimate))
    couples = []
    for one, other in combinations(able, 2):
        if comparable(one[1], other[1]):
            couples.append((one, other) if one[2].value >= other[2].value else (other, one))
    prior = seed_prior([left[1].values - right[1].values for left, right in couples])
    found = [
        (left[0].name, right[0].name, compare(left[1].values, right[1].values, draws=left[1].draws, seeds=left[2].seeds, prior=prior))
        for left, right in couples
    ]
    corrected = holm([result.p_value for _, _, result in found])
    return tuple(
        Pair(left, right, result.difference, result.p_value, p_value, result.test)
        for (left, right, result), p_value in zip(found, corrected, strict=True)
    )


def comparable(left: Table, right: Table) -> bool:
    """Whether two figures are about the same samples."""
    return left.samples == right.samples and np.array_equal(left.labels, right.labels)


def _order(entry: Entry, column: str) -> tuple[bool, float]:
    known = value(entry, column)
    return (known is None, 0.0 if known is None else -known)
