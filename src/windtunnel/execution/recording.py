"""Recording: turns what was computed into a record and its table of outcomes, byte for byte the same every time."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from windtunnel.core import canonical
from windtunnel.core.canonical import fraction_text
from windtunnel.core.cell import Cell
from windtunnel.core.dataset import Dataset
from windtunnel.core.flag import Flag
from windtunnel.core.modalities import modality_of
from windtunnel.core.outcome import Example, Outcome, wilson
from windtunnel.core.recipe import Epoch, Finetuned
from windtunnel.core.record import ATTEMPT_COLUMNS, GROUP_COLUMN, OUTCOME_COLUMNS, Record

if TYPE_CHECKING:
    import pyarrow as pa
    from torch import Tensor

    from windtunnel.core.network import Network

TRUNCATED = 0.01
"""Share of texts cut off from which on a cell is flagged; ours."""

RECORD, OUTCOMES = "record.json", "outcomes.parquet"


def finetuned(cell: Cell, done: Finetuned, val: Dataset, facts: Mapping[str, Any]) -> Record:
    """The record of a fine-tuning cell."""
    accuracy = done.val_accuracy
    estimates = {} if accuracy is None else {"": {"val-accuracy": wilson(round(accuracy * len(val)), len(val)).as_dict()}}
    return Record(
        key=cell.key,
        kind="finetune",
        status="done",
        labels=cell.labels,
        content=cell.content or {},
        estimates=estimates,
        curves=tuple(asdict(epoch) for epoch in done.curves),
        facts={"best_epoch": done.best_epoch, **({"notes": canonical.plain(done.notes)} if done.notes else {}), **facts},
        cost={"passes": cell.passes},
        flags=tuple(flag.as_dict() for flag in done.flags),
    )


def restored(record: Mapping[str, Any], network: Network, best: dict[str, Tensor], last: dict[str, Tensor]) -> Finetuned:
    """What a fine-tuning left, from its record and states; the inverse of `finetuned` but for the facts."""
    facts = record["facts"]
    curves = tuple(Epoch(**epoch) for epoch in record["curves"])
    flags = tuple(Flag(**flag) for flag in record["flags"])
    return Finetuned(network, best, last, facts["best_epoch"], curves, facts.get("notes", {}), flags)


def evaluated(cell: Cell, outcome: Outcome, classes: tuple[str, ...], truncated: int = 0) -> tuple[Record, pa.Table]:
    """The record of an evaluation cell and its outcomes, a row per level and sample.

    Args:
        truncated: texts of which the victim reads the beginning only.
    """
    levels = tuple(fraction_text(level) for level in outcome.levels)
    correct = outcome.correct
    estimates = {level: {"accuracy": wilson(int(row.sum()), len(row)).as_dict()} for level, row in zip(levels, correct, strict=True)}
    record = Record(
        key=cell.key,
        kind="evaluate",
        status="done",
        labels=cell.labels,
        content=cell.content or {},
        levels=levels,
        estimates=estimates,
        facts={"classes": list(classes), **({"truncated": truncated} if truncated else {})},
        cost={"forward": outcome.cost.forward, "backward": outcome.cost.backward, "queries": outcome.cost.queries},
        flags=tuple(flag.as_dict() for flag in (*outcome.flags, *_cut_off(truncated, len(outcome.ids)))),
        examples=tuple(_example(example) for example in outcome.examples),
    )
    return record, _table(cell.key, levels, outcome)


def _cut_off(truncated: int, samples: int) -> Iterator[Flag]:
    """A flag where the victim does not see all of many texts: what is changed behind its reach changes nothing."""
    if truncated > TRUNCATED * samples:
        text = f"{truncated} of {samples} texts are longer than the victim reads; it sees their beginnings only. Give the model a larger `length`."
        yield Flag("truncated-texts", text)


def failed(cell: Cell, error: str) -> Record:
    """The record of a cell that could not be computed."""
    return Record(cell.key, cell.kind, "failed", cell.labels, cell.content or {}, error=error)


def files(record: Record, table: pa.Table | None = None) -> dict[str, bytes]:
    """What goes into the store for a record."""
    content = {RECORD: canonical.dumps(record.as_dict()).encode()}
    return content if table is None else {**content, OUTCOMES: parquet(table)}


def joined(tables: Sequence[bytes]) -> bytes:
    """The outcomes of several cells as one file; a column that only some have is null in the others."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not tables:
        return parquet(pa.table({name: pa.array([], pa.string()) for name in OUTCOME_COLUMNS}))
    return parquet(pa.concat_tables([pq.read_table(io.BytesIO(data)) for data in tables], promote_options="default"))


def parquet(table: pa.Table) -> bytes:
    """A table as parquet, the same bytes for the same table."""
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _table(key: str, levels: tuple[str, ...], outcome: Outcome) -> pa.Table:
    import pyarrow as pa

    n = len(outcome.ids)
    columns = {
        "key": pa.array([key] * (n * len(levels)), pa.string()),
        "level": pa.array([level for level in levels for _ in range(n)], pa.string()),
        "sample": pa.array(list(outcome.ids) * len(levels), pa.string()),
        "label": np.tile(outcome.labels, len(levels)).astype(np.int32),
        "predicted": outcome.predicted.reshape(-1).astype(np.int32),
        "confidence": outcome.confidence.reshape(-1).astype(np.float32),
        "distance": outcome.distance.reshape(-1).astype(np.float32),
    }
    if outcome.attempts:
        attempts = [attempt for row in outcome.attempts for attempt in row]
        columns["status"] = pa.array([attempt.status for attempt in attempts], pa.string())
        columns["queries"] = pa.array([attempt.queries for attempt in attempts], pa.int32())
        columns["similarity"] = pa.array([attempt.similarity for attempt in attempts], pa.float32())
    if outcome.groups is not None:
        columns[GROUP_COLUMN] = np.tile(outcome.groups, len(levels)).astype(np.int32)
    return pa.table({name: columns[name] for name in (*OUTCOME_COLUMNS, *ATTEMPT_COLUMNS, GROUP_COLUMN) if name in columns})


def _example(example: Example) -> dict[str, Any]:
    return {
        "id": example.id,
        "level": fraction_text(example.level),
        "label": example.label,
        "before": example.before,
        "after": example.after,
        **modality_of(example.pair).portray(example.pair),
    }
