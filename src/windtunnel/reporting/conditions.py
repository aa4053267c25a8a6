"""Training conditions: what bad training data costs each recipe, against the same recipe on the data as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from windtunnel.core.condition import CLEAN
from windtunnel.core.estimate import Estimate
from windtunnel.metrics.intervals import seed_prior
from windtunnel.metrics.paired import compare
from windtunnel.reporting.columns import Column
from windtunnel.reporting.figures import Figure
from windtunnel.reporting.leaderboard import Leaderboard, comparable
from windtunnel.reporting.manifest import Manifest
from windtunnel.reporting.measures import WORST_GROUP


@dataclass(frozen=True)
class Shown:
    """One figure of one recipe under one condition.

    Args:
        value, low, high: the figure with its 95 % interval; None where it could not be computed.
        reason: why there is none.
        difference: minus the figure on the data as it is, paired; None there, and where one of the two is missing.
    """

    value: float | None
    low: float | None
    high: float | None
    reason: str
    difference: Estimate | None = None


@dataclass(frozen=True)
class Row:
    """One model and recipe.

    Args:
        model, recipe: shown names.
        entry: the leaderboard's name of one of its entries, for its looks.
        cells: one for each condition.
    """

    model: str
    recipe: str
    entry: str
    cells: tuple[Shown, ...]


@dataclass(frozen=True)
class ConditionTable:
    """One figure of every recipe under every condition.

    Args:
        title, benchmark: of the figure.
        headline: whether it is what the first benchmark is ranked by.
        rows: models and recipes in the suite's order.
    """

    title: str
    benchmark: str
    headline: bool
    rows: tuple[Row, ...]


def condition_tables(board: Leaderboard, manifest: Manifest) -> tuple[ConditionTable, ...]:
    """Every column of the leaderboard, the headline first, then the worst groups; none without conditions."""
    if not manifest.conditions:
        return ()
    return (*(_of_column(manifest, board, column) for column in board.columns), *_of_measures(manifest, board))


def _recipes(manifest: Manifest) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Model, recipe and the entries of that recipe, in the order of the conditions; recipes that do not train are left out."""
    # The order is that of the suite; a manifest keeps its keys sorted.
    crossed = [recipe for recipe in dict.fromkeys(manifest.methods.values()) if recipe in manifest.conditions[0].entries]
    for model in manifest.models:
        for recipe in crossed:
            yield model, recipe, tuple(condition.entries[recipe] for condition in manifest.conditions)


def _of_column(manifest: Manifest, board: Leaderboard, column: Column) -> ConditionTable:
    found = {(entry.model, entry.recipe): entry.figures[column.name] for entry in board.entries}
    clean = next((place for place, condition in enumerate(manifest.conditions) if condition.name == CLEAN), None)
    figures = [(model, recipe, entries, [found[model, entry] for entry in entries]) for model, recipe, entries in _recipes(manifest)]
    couples = [] if clean is None else [(figure, row[clean]) for *_, row in figures for figure in row if figure is not row[clean]]
    prior = seed_prior(
        [one.table.values - other.table.values for one, other in couples if one.table and other.table and comparable(one.table, other.table)]
    )

    def difference(one: Figure, other: Figure) -> Estimate | None:
        if one is other or one.table is None or other.table is None or not comparable(one.table, other.table):
            return None
        return compare(one.table.values, other.table.values, draws=one.table.draws, seeds=manifest.seeds, prior=prior).difference

    rows = []
    for model, recipe, entries, row in figures:
        cells = (_shown(figure, None if clean is None else difference(figure, row[clean])) for figure in row)
        rows.append(Row(model, recipe, f"{model}/{entries[0]}", tuple(cells)))
    return ConditionTable(column.title, column.benchmark, column is board.headline, tuple(rows))


def _shown(figure: Figure, difference: Estimate | None) -> Shown:
    estimate = figure.estimate
    if estimate is None:
        return Shown(None, None, None, figure.reason)
    return Shown(estimate.value, estimate.low, estimate.high, "", difference)


def _of_measures(manifest: Manifest, board: Leaderboard) -> Iterator[ConditionTable]:
    """The worst groups, which have no paired difference: another group may be the worst."""
    found = {(each.benchmark, each.name, each.model, each.recipe): each for each in board.measures if each.name.startswith(WORST_GROUP)}
    for benchmark, name in dict.fromkeys((benchmark, name) for benchmark, name, _, _ in found):
        rows = []
        for model, recipe, entries in _recipes(manifest):
            cells = (found[benchmark, name, model, entry] for entry in entries)
            rows.append(Row(model, recipe, f"{model}/{entries[0]}", tuple(Shown(each.value, each.low, each.high, each.reason) for each in cells)))
        yield ConditionTable(name, benchmark, False, tuple(rows))
