"""Record: the one thing that each cell leaves; reports are computed from records and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from windtunnel.core.canonical import plain
from windtunnel.core.cell import Labels
from windtunnel.errors import RecordError

SCHEMA = 1
"""Version of the record's shape; readers refuse others."""

OUTCOME_COLUMNS = ("key", "level", "sample", "label", "predicted", "confidence", "distance")
"""Columns of outcomes.parquet: one row per cell (key), level (text) and sample (id)."""

ATTEMPT_COLUMNS = ("status", "queries", "similarity")
"""Further columns where an attack tells how its attempts went (see `core.attempt`); null elsewhere, and absent if no attack tells."""

GROUP_COLUMN = "group"
"""A further column where a threat puts samples into groups; null elsewhere, and absent if none does."""


@dataclass(frozen=True)
class Record:
    """What a cell left.

    Args:
        key: the cell's key; for a cell that failed before its key was known, empty.
        kind: "finetune" or "evaluate".
        status: "done" or "failed".
        labels: names in the suite that ran it.
        content: everything that entered the key.
        levels: texts of the threat's levels, ascending ("2/255", "3"); empty for fine-tuning.
        estimates: level text -> metric -> {"value", "low", "high", "n", "seeds"}; fine-tuning: {"": {...}}.
        curves: training curves, one mapping per epoch (see core.recipe.Epoch); empty for evaluation.
        facts: plain facts to show (best epoch, preprocessing, classes, subset of data, audit).
        cost: {"forward", "backward", "queries"} in sample-passes.
        flags: [{"name", "message"}].
        examples: [{"id", "level", "label", "before", "after", "images": [png base64, png base64]}]; of texts
            "fields": [name], "texts": [[before], [after]] instead of images.
        error: what went wrong, for a failed cell.
    """

    key: str
    kind: Literal["finetune", "evaluate"]
    status: Literal["done", "failed"]
    labels: Labels
    content: Mapping[str, Any] = field(default_factory=dict)
    levels: tuple[str, ...] = ()
    estimates: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    curves: tuple[Mapping[str, Any], ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    cost: Mapping[str, float] = field(default_factory=dict)
    flags: tuple[Mapping[str, str], ...] = ()
    examples: tuple[Mapping[str, Any], ...] = ()
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON; the inverse of `from_dict`."""
        body = {name: plain(getattr(self, name)) for name in self.__dataclass_fields__ if name != "labels"}
        return {"schema": SCHEMA, **body, "labels": dict(vars(self.labels))}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Record:
        """A record from its plain data.

        Raises:
            RecordError: another schema, or fields missing.
        """
        if data.get("schema") != SCHEMA:
            raise RecordError(f"A record has schema {data.get('schema')!r}; this version of windtunnel reads schema {SCHEMA}.")
        body = {name: value for name, value in data.items() if name not in ("schema", "labels")}
        try:
            labels = Labels(**data["labels"])
            for name in ("levels", "curves", "flags", "examples"):
                body[name] = tuple(body[name])
            return cls(labels=labels, **body)
        except (KeyError, TypeError) as error:
            raise RecordError(f"A record lacks or has unexpected fields: {error}.") from error


def sort_key(record: Record) -> tuple[str, str, int, bool, str, str, str]:
    """The canonical order of records in a file: by what they are called, never by when they were done."""
    names = record.labels
    return (names.model, names.recipe, names.seed, record.kind == "evaluate", names.benchmark, names.threat, record.key)
