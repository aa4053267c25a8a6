"""Figure: one number of the leaderboard, computed from the outcomes of every cell behind it or shown as failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from windtunnel.core.estimate import Estimate
from windtunnel.core.flag import Flag
from windtunnel.core.record import Record
from windtunnel.metrics.intervals import pooled, seed_prior
from windtunnel.reporting.columns import Column
from windtunnel.reporting.folder import RunFolder
from windtunnel.reporting.outcomes import Codes, Slice


@dataclass(frozen=True)
class Table:
    """The per-sample results behind a figure.

    Args:
        values: yes/no outcomes or shares of them, (seed, sample).
        samples: ids of the columns.
        labels: true classes of the columns.
        draws: yes/no outcomes averaged in each value.
    """

    values: npt.NDArray[np.float64]
    samples: tuple[str, ...]
    labels: Codes
    draws: int


@dataclass(frozen=True)
class Figure:
    """One number of the leaderboard.

    Args:
        estimate: the number; None where it could not be computed.
        reason: why there is none.
        flags: reasons for suspicion of any cell behind it.
        table: what it was computed from.
    """

    estimate: Estimate | None
    reason: str = ""
    flags: tuple[Flag, ...] = ()
    table: Table | None = field(default=None, compare=False, repr=False)


class Unavailable(Exception):
    """A cell behind a figure is missing, failed or speaks of other samples."""


def figures(folder: RunFolder, column: Column, entries: Sequence[tuple[str, str]]) -> list[Figure]:
    """Compute one column for every (model, recipe), over all training seeds.

    A missing or failed cell makes the whole figure unavailable: leaving it out would flatter the entry.
    """
    found = [_gather(folder, column, model, recipe) for model, recipe in entries]
    prior = seed_prior([table.values for table, _ in found if isinstance(table, Table)])
    seeds = folder.manifest.seeds
    return [
        Figure(None, table) if isinstance(table, str) else Figure(pooled(table.values, seeds=seeds, draws=table.draws, prior=prior), "", flags, table)
        for table, flags in found
    ]


def _gather(folder: RunFolder, column: Column, model: str, recipe: str) -> tuple[Table | str, tuple[Flag, ...]]:
    """What a figure is computed from, or why it cannot be; and the flags of its cells and of their victims."""
    try:
        if not column.parts:
            raise Unavailable(f"the benchmark has no threat with what its headline asks for ({column.title})")
        parts = column.parts
        cells = [[cell(folder, column.benchmark, part.threat, model, recipe, seed) for part in parts] for seed in folder.manifest.seeds]
        table = _table(folder, *_each_once(column, cells))
    except Unavailable as error:
        return str(error), ()
    victims = [victim for seed in folder.manifest.seeds if (victim := folder.finetuning(model, recipe, seed)) is not None]
    flags = {flag.name: flag for record in (*victims, *(each for row in cells for each in row)) for flag in folder.flags(record)}
    return table, tuple(flags.values())


def _each_once(column: Column, cells: list[list[Record]]) -> tuple[Column, list[list[Record]]]:
    """The column without parts that are another part's cell under a second name: no row of the outcomes counts twice."""
    met = {(part.level, *(row[place].key for row in cells)): place for place, part in reversed(list(enumerate(column.parts)))}
    kept = sorted(met.values())
    return replace(column, parts=tuple(column.parts[place] for place in kept)), [[row[place] for place in kept] for row in cells]


def cell(folder: RunFolder, benchmark: str, threat: str, model: str, recipe: str, seed: int) -> Record:
    """The record of an evaluation that was done.

    Raises:
        Unavailable: it, or its victim, failed or is missing.
    """
    record = folder.cell(model, recipe, seed, benchmark, threat)
    if record is not None and record.status == "done":
        return record
    victim = folder.finetuning(model, recipe, seed)
    if victim is not None and victim.status == "failed":
        raise Unavailable(f"fine-tuning with seed {seed} failed: {victim.error}")
    if record is not None:
        raise Unavailable(f"{threat} on seed {seed} failed: {record.error}")
    raise Unavailable(f"{threat} on seed {seed} is missing from the records")


def _table(folder: RunFolder, column: Column, cells: list[list[Record]]) -> Table:
    slices = [[cut(folder, record, part.level) for record, part in zip(row, column.parts, strict=True)] for row in cells]
    for place, part in enumerate(column.parts):
        if any(not _same(row[place], slices[0][place]) for row in slices):
            raise Unavailable(f"{part.threat} was evaluated on other samples under another seed")
    first = slices[0]
    ids = folder.outcomes.names
    if all(_same(piece, first[0]) for piece in first):
        stacked = np.array([[piece.correct for piece in row] for row in slices])
        worst = column.how == "worst-case"
        values = np.asarray(stacked.all(1) if worst else stacked.mean(1), dtype=np.float64)
        return Table(values, ids(first[0].samples), first[0].labels, 1 if worst else len(first))
    if column.how == "worst-case":
        raise Unavailable("its threats were evaluated on different samples, so that no sample has a worst case")
    # Other data under each threat: every sample counts once, under the threat that it belongs to.
    values = np.array([np.concatenate([piece.correct for piece in row]) for row in slices]).astype(np.float64)
    names = [f"{part}: {name}" for part, piece in zip(column.parts, first, strict=True) for name in ids(piece.samples)]
    return Table(values, tuple(names), np.concatenate([piece.labels for piece in first]), 1)


def cut(folder: RunFolder, record: Record, level: str) -> Slice:
    """The outcomes of a cell at one level.

    Raises:
        Unavailable: there are none.
    """
    found = folder.outcomes.slice(record.key, level)
    if found is None:
        raise Unavailable(f"{record.labels.threat} at {level} on seed {record.labels.seed} has no rows in the table of outcomes")
    return found


def _same(left: Slice, right: Slice) -> bool:
    return np.array_equal(left.samples, right.samples) and np.array_equal(left.labels, right.labels)


def per_seed(
    folder: RunFolder, benchmark: str, threat: str, level: str, measure: Callable[[Slice], Estimate], model: str, recipe: str
) -> list[Estimate] | str:
    """A measure of one cell and level under each seed, or why there is none."""
    found = []
    try:
        for seed in folder.manifest.seeds:
            estimate = measure(cut(folder, cell(folder, benchmark, threat, model, recipe, seed), level))
            found.append(Estimate(estimate.value, estimate.low, estimate.high, estimate.n, (seed,)))
    except Unavailable as error:
        return str(error)
    return found
