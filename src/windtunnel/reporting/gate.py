"""Gate: did robustness drop since a baseline? Judged by a paired test on the same samples, or not at all."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np

from windtunnel.core.estimate import Estimate
from windtunnel.errors import RecordError, UnknownNameError, suggest
from windtunnel.metrics.intervals import Values, seed_prior
from windtunnel.metrics.paired import Comparison, compare, holm, samples_needed
from windtunnel.reporting.columns import Column
from windtunnel.reporting.folder import RunFolder
from windtunnel.reporting.leaderboard import LEVEL, Entry, Leaderboard
from windtunnel.reporting.texts import count, percent

Status = Literal["passed", "regression", "cannot-judge"]

EXIT_CODES: Mapping[Status, int] = MappingProxyType({"passed": 0, "regression": 1, "cannot-judge": 2})


@dataclass(frozen=True)
class Row:
    """One figure of one entry, then and now.

    Args:
        entry: name of the entry.
        column: what was compared.
        status: of this figure alone.
        reason: why it cannot be judged.
        baseline, run: the figures; None where there is none.
        difference: run minus baseline, paired; None where that is impossible.
        corrected: p-value after Holm's correction over all rows.
    """

    entry: str
    column: Column
    status: Status
    reason: str = ""
    baseline: Estimate | None = None
    run: Estimate | None = None
    difference: Estimate | None = None
    corrected: float | None = None


@dataclass(frozen=True)
class Verdict:
    """What the gate says.

    Args:
        status: "regression" if any figure dropped for certain, else "cannot-judge" if any could not be judged.
        max_drop: the largest drop that passes, as a share.
        rows: every figure of every entry of the baseline.
        notes: what differs between the two runs beside their figures.
    """

    status: Status
    max_drop: float
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 passed, 1 regression, 2 cannot judge."""
        return EXIT_CODES[self.status]

    @property
    def markdown(self) -> str:
        """A summary fit for a comment on a pull request."""
        from windtunnel.reporting.gate_summary import summary

        return summary(self)


@dataclass(frozen=True)
class _Side:
    """One of the two runs."""

    folder: RunFolder
    board: Leaderboard


@dataclass(frozen=True)
class _Judged:
    """A row whose figures were compared, before the correction for the number of rows."""

    row: Row
    left: Values
    right: Values
    draws: int


def parse_drop(text: str) -> float:
    """The largest drop that passes: "2pp", "2 %" and "0.02" are the same.

    Raises:
        RecordError: anything else, or a drop outside 0 to 100 percentage points.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(pp|%|)\s*", text, re.ASCII)
    if found is None:
        raise RecordError(f'{text!r} is no drop; write percentage points as "2pp", or a share of 1 as "0.02".')
    number, unit = float(found[1]), found[2]
    if not unit and number > 1:
        raise RecordError(f'A drop of {text!r} would be more than everything. Did you mean "{found[1]}pp"?')
    drop = number / 100 if unit else number
    if drop > 1:
        raise RecordError(f"A drop of {text!r} would be more than everything; it must lie between 0pp and 100pp.")
    return drop


def gate(run: Path | str, baseline: Path | str, max_drop: float) -> Verdict:
    """Compare a run with a baseline.

    Args:
        run: a run's folder or a published one; "FOLDER#MODEL/RECIPE" for one entry of it.
        baseline: the same.
        max_drop: the largest drop that passes, as a share; see `parse_drop`.
    Raises:
        RecordError: a folder cannot be read.
        UnknownNameError: an entry that was named does not exist.
    """
    now, now_name = _open(run)
    then, then_name = _open(baseline)
    pairs = _matched(now, then, now_name, then_name)
    rows: list[Row | _Judged] = [_row(now, then, old, new, column) for old, new in pairs for column in then.board.columns]
    return _verdict(rows, max_drop, _notes(now, then, pairs))


def _open(place: Path | str) -> tuple[_Side, str]:
    text, name = str(place), ""
    if "#" in text and not Path(text).exists():
        text, _, name = text.partition("#")
    folder = RunFolder.load(text)
    return _Side(folder, Leaderboard.of(folder)), name


def _matched(now: _Side, then: _Side, now_name: str, then_name: str) -> list[tuple[Entry, Entry | None]]:
    """Entries of the baseline, each with that of the run by the same name; a named entry may meet another name."""
    old = [_entry(then, then_name)] if then_name else list(then.board.entries)
    if now_name:
        new = _entry(now, now_name)
        return [(_entry(then, then_name or new.name), new)]
    if then_name and now.board.entry(then_name) is None:
        if len(now.board.entries) == 1:
            return [(old[0], now.board.entries[0])]
        raise UnknownNameError(
            f"{now.folder.path} has no entry {then_name!r}; name the one to compare as {now.folder.path}#MODEL/RECIPE. "
            f"{suggest(then_name, [entry.name for entry in now.board.entries])}"
        )
    return [(entry, now.board.entry(entry.name)) for entry in old]


def _entry(side: _Side, name: str) -> Entry:
    found = side.board.entry(name)
    if found is None:
        raise UnknownNameError(f"{side.folder.path} has no entry {name!r}. {suggest(name, [entry.name for entry in side.board.entries])}")
    return found


def _row(now: _Side, then: _Side, old: Entry, new: Entry | None, column: Column) -> Row | _Judged:
    """One figure, ready to be judged, or why it cannot be."""
    before = old.figures[column.name]
    row = Row(new.name if new else old.name, column, "cannot-judge", baseline=before.estimate)
    if new is None:
        return replace(row, reason="the run has no such entry")
    obstacle = _other_benchmark(now, then, column)
    if obstacle:
        return replace(row, reason=obstacle)
    after = new.figures[column.name]
    row = replace(row, run=after.estimate)
    if before.table is None or after.table is None:
        return replace(row, reason=f"in the {'baseline' if before.table is None else 'run'}, {(before if before.table is None else after).reason}")
    if before.table.samples != after.table.samples:
        shared = len(set(before.table.samples) & set(after.table.samples))
        return replace(row, reason=f"other samples: {shared} of the baseline's {len(before.table.samples)} are the same")
    if not np.array_equal(before.table.labels, after.table.labels):
        return replace(row, reason="the same samples carry other labels")
    lacking = [seed for seed in then.folder.manifest.seeds if seed not in now.folder.manifest.seeds]
    if lacking:
        return replace(row, reason=f"the run lacks the baseline's training seed {lacking[0]}")
    places = [now.folder.manifest.seeds.index(seed) for seed in then.folder.manifest.seeds]
    return _Judged(row, after.table.values[places], before.table.values, before.table.draws)


def _other_benchmark(now: _Side, then: _Side, column: Column) -> str:
    """Why a column does not mean the same in both runs; empty if it does."""
    old, new = then.folder.manifest.benchmark(column.benchmark), now.folder.manifest.benchmark(column.benchmark)
    if old is None or new is None:
        return f"the run has no benchmark {column.benchmark}"
    if old.version != new.version:
        return f"{column.benchmark} is version {new.version}, the baseline's is version {old.version}"
    same = now.board.column(column.name)
    if same is None or (same.how, set(same.parts), same.benchmark) != (column.how, set(column.parts), column.benchmark):
        return f"{column.benchmark} makes this figure of other threats or levels than in the baseline, under the same version"
    behind = {part.threat for part in column.parts}
    if {t.name: t for t in old.threats if t.name in behind} != {t.name: t for t in new.threats if t.name in behind}:
        return f"a threat of {column.benchmark} was called with other arguments than in the baseline, under the same version"
    return ""


def _verdict(rows: Sequence[Row | _Judged], max_drop: float, notes: tuple[str, ...]) -> Verdict:
    judged = [row for row in rows if isinstance(row, _Judged)]
    results = []
    for item in judged:
        # What seeds do to the other entries of a column tells what they may do to this one.
        prior = seed_prior([other.left - other.right for other in judged if other.row.column.name == item.row.column.name])
        seeds = item.row.baseline.seeds if item.row.baseline else ()
        results.append(compare(item.left, item.right, draws=item.draws, seeds=seeds, prior=prior))
    corrected = iter(zip(results, holm([result.p_value for result in results]), strict=True))
    done = tuple(_judge(row.row, *next(corrected), max_drop) if isinstance(row, _Judged) else row for row in rows)
    found = {row.status for row in done}
    status: Status = "regression" if "regression" in found else "cannot-judge" if "cannot-judge" in found or not done else "passed"
    return Verdict(status, max_drop, done, notes)


def _judge(row: Row, result: Comparison, corrected: float, max_drop: float) -> Row:
    row = replace(row, difference=result.difference, corrected=corrected)
    drop = -result.difference.value
    # Rounding must not turn a drop of exactly the bound into one beyond it.
    if drop <= max_drop + 1e-9:
        return replace(row, status="passed")
    if corrected < LEVEL:
        return replace(row, status="regression")
    wanted = samples_needed(result)
    n = result.difference.n
    need = f"about {count(wanted, 'sample')} would show it (there are {n:,})" if wanted > n else "more training seeds would be needed to show it"
    return replace(row, reason=f"a drop of {percent(drop)} pp, but it may be chance; {need}")


def _notes(now: _Side, then: _Side, pairs: Sequence[tuple[Entry, Entry | None]]) -> tuple[str, ...]:
    found = []
    known = {new.name for _, new in pairs if new is not None}
    extra = [entry.name for entry in now.board.entries if entry.name not in known]
    if extra and len(pairs) > 1:
        found.append(f"{count(len(extra), 'entry')} of the run not in the baseline, hence not judged: {', '.join(extra)}.")
    old, new = then.folder.manifest, now.folder.manifest
    if old.data.fingerprint != new.data.fingerprint:
        found.append(f"The data {new.data.name} changed: fingerprint {old.data.fingerprint[:12]} then, {new.data.fingerprint[:12]} now.")
    if old.selection != new.selection:
        found.append(f"Checkpoints were selected by {old.selection} then, by {new.selection} now.")
    before, after = old.provenance.get("libraries", {}), new.provenance.get("libraries", {})
    moved = [
        f"{name} {before.get(name, 'absent')} → {after.get(name, 'absent')}"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]
    if moved:
        found.append(f"Libraries changed: {', '.join(moved)}.")
    return tuple(found)
