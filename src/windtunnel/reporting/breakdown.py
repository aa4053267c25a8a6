"""Breakdown: the figures of the leaderboard taken apart, by class and by domain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from windtunnel.core.estimate import Estimate
from windtunnel.metrics.intervals import apart, pooled
from windtunnel.reporting.columns import Column
from windtunnel.reporting.figures import Table
from windtunnel.reporting.leaderboard import Entry, Leaderboard

SHOWN = 10
"""Classes of a table at most; the worst ones, where there are more."""


@dataclass(frozen=True)
class ClassTable:
    """One column of the leaderboard by true class.

    Args:
        column: taken apart.
        classes: names, in their order.
        left_out: classes that have no room, all of them better than those shown.
        rows: an estimate for each class, None where there is none.
    """

    column: Column
    classes: tuple[str, ...]
    left_out: int
    rows: tuple[tuple[Entry, tuple[Estimate | None, ...]], ...]


@dataclass(frozen=True)
class LossTable:
    """What other data cost, against the unchanged samples.

    Args:
        clean: what is compared with.
        shifts: other data.
        rows: the clean accuracy, and accuracy on each other data minus it, None where there is none.
    """

    clean: Column
    shifts: tuple[Column, ...]
    rows: tuple[tuple[Entry, tuple[Estimate | None, ...]], ...]


def class_tables(board: Leaderboard, classes: tuple[str, ...], seeds: tuple[int, ...]) -> tuple[ClassTable, ...]:
    """Each column by class; those of which no entry has a figure are left out."""
    return tuple(table for column in board.columns if (table := _by_class(board, column, classes, seeds)) is not None)


def _by_class(board: Leaderboard, column: Column, classes: tuple[str, ...], seeds: tuple[int, ...]) -> ClassTable | None:
    tables = {entry.name: entry.figures[column.name].table for entry in board.entries}
    known = [table for table in tables.values() if table is not None]
    present = sorted({int(label) for table in known for label in table.labels if 0 <= label < len(classes)})
    if not present:
        return None

    def worst(label: int) -> float:
        return min(float(table.values[:, table.labels == label].mean()) for table in known if (table.labels == label).any())

    shown = sorted(sorted(present, key=worst)[:SHOWN])
    rows = tuple((entry, tuple(_share(tables[entry.name], label, seeds) for label in shown)) for entry in board.entries)
    return ClassTable(column, tuple(classes[label] for label in shown), len(present) - len(shown), rows)


def _share(table: Table | None, label: int, seeds: tuple[int, ...]) -> Estimate | None:
    if table is None or not (table.labels == label).any():
        return None
    return pooled(table.values[:, table.labels == label], seeds=seeds, draws=table.draws)


def loss_tables(board: Leaderboard) -> Iterator[LossTable]:
    """What shift costs, for each benchmark that has clean samples of its own and other data."""
    for clean in board.columns:
        shifts = tuple(column for column in board.columns if column.benchmark == clean.benchmark and _is_shift(column))
        if clean.family == "clean" and shifts:
            yield LossTable(clean, shifts, tuple((entry, _losses(entry, clean, shifts)) for entry in board.entries))


def _is_shift(column: Column) -> bool:
    return column.family == "shift" and len(column.parts) == 1


def _losses(entry: Entry, clean: Column, shifts: tuple[Column, ...]) -> tuple[Estimate | None, ...]:
    first = entry.figures[clean.name].estimate
    others = [entry.figures[column.name].estimate for column in shifts]
    return (first, *(None if first is None or other is None else apart(other, first) for other in others))
