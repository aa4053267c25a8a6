"""Verify: a run's records, outcomes and figures must belong together, and agree with the store where it still holds them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from windtunnel.core import canonical
from windtunnel.core.cell import KEY_VERSION
from windtunnel.core.outcome import wilson
from windtunnel.core.record import Record
from windtunnel.errors import RecordError
from windtunnel.execution import recording
from windtunnel.execution.run import OUTCOMES, RECORDS
from windtunnel.execution.store import Store

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Verified:
    """What was checked.

    Args:
        problems: one sentence each; none if all is well.
        records: records read.
        outcomes: rows read.
        stored: records that the store holds, too.
    """

    problems: tuple[str, ...]
    records: int
    outcomes: int
    stored: int


def verify(folder: Path, store: Store) -> Verified:
    """Check a run's folder or a published one.

    Raises:
        RecordError: the folder cannot be read at all.
    """
    import pyarrow.parquet as pq

    try:
        records = [Record.from_dict(json.loads(line)) for line in (folder / RECORDS).read_text().splitlines()]
        table = pq.read_table(folder / OUTCOMES)
    except (OSError, ValueError) as error:
        raise RecordError(f"{folder} is no run's folder, or a damaged one: {error}") from error
    by_key = _rows_by_key(table)
    problems: list[str] = []
    stored = 0
    for record in records:
        problems += [f"{record.labels}: {problem}" for problem in _wrong(record, by_key)]
        entry = store.read(record.key) if record.status == "done" else None
        if entry is not None:
            stored += 1
            kept = replace(Record.from_dict(json.loads(entry.bytes(recording.RECORD))), labels=record.labels)
            # A published record may come without the pictures of its samples, and with no others.
            if (kept if record.examples else replace(kept, examples=())).as_dict() != record.as_dict():
                problems.append(f"{record.labels}: the store holds another record under the same key.")
    return Verified(tuple(problems), len(records), table.num_rows, stored)


def _wrong(record: Record, by_key: dict[str, pa.Table]) -> Iterator[str]:
    if record.status == "failed":
        return
    if canonical.sha256({"key_version": KEY_VERSION, "kind": record.kind, **record.content}) != record.key:
        yield "its key is not the digest of its content."
    if record.kind == "finetune":
        return
    rows = by_key.get(record.key)
    if rows is None:
        yield "it has no outcomes."
        return
    levels, labels, predicted = (rows.column(name).to_pylist() for name in ("level", "label", "predicted"))
    for level in record.levels:
        verdicts = [label == guess for at, label, guess in zip(levels, labels, predicted, strict=True) if at == level]
        if not verdicts or wilson(sum(verdicts), len(verdicts)).as_dict() != record.estimates[level]["accuracy"]:
            yield f"its accuracy at {level} is not what its outcomes give."
    if "status" in rows.column_names:
        told = [(each, label == guess) for each, label, guess in zip(rows.column("status").to_pylist(), labels, predicted, strict=True) if each]
        # Skipped samples were wrong unchanged; what they are as they were left says nothing.
        if any(stands != (status != "succeeded") for status, stands in told if status != "skipped"):
            yield "how its attempts went contradicts its outcomes."


def _rows_by_key(table: pa.Table) -> dict[str, pa.Table]:
    """Slices of the table; the rows of a cell are consecutive."""
    keys = table.column("key").to_pylist()
    starts = [row for row in range(len(keys)) if row == 0 or keys[row] != keys[row - 1]]
    ends = [*starts[1:], len(keys)]
    return {keys[start]: table.slice(start, end - start) for start, end in zip(starts, ends, strict=True)}
