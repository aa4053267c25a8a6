"""Outcomes: the table of per-sample results of a run, cut by cell and level."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from windtunnel.core.record import ATTEMPT_COLUMNS, GROUP_COLUMN, OUTCOME_COLUMNS
from windtunnel.errors import RecordError

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Attempts:
    """How an attack on each sample went, in the order of its slice; see `core.attempt`.

    Args:
        status: how it ended.
        queries: texts asked about.
        similarity: of the perturbed text to the original; NaN where nothing measured it.
    """

    status: tuple[str, ...]
    queries: Codes
    similarity: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Slice:
    """One cell at one level, its samples in a fixed order.

    Args:
        samples: codes of the sample ids, ascending; see `Outcomes.ids`.
        labels, predicted: class indices.
        confidence: largest softmax probability.
        distance: norm of the change.
        attempts: of attacks that tell; None for others.
        groups: of threats that put samples into groups; None for others.
    """

    samples: Codes
    labels: Codes
    predicted: Codes
    confidence: npt.NDArray[np.float64]
    distance: npt.NDArray[np.float64]
    attempts: Attempts | None = None
    groups: Codes | None = None

    @property
    def correct(self) -> npt.NDArray[np.bool_]:
        """Whether each sample is classified rightly."""
        verdict: npt.NDArray[np.bool_] = self.labels == self.predicted
        return verdict


class Outcomes:
    """Per-sample results of a whole run, grouped once.

    Args:
        columns: the table's columns; `key`, `level` and `sample` as (codes, texts); `status`, if it is there, None where no attack tells,
            and `group` NaN where there are none.
    """

    def __init__(self, columns: dict[str, Any]) -> None:
        keys, self._key_names = columns["key"]
        levels, level_names = columns["level"]
        samples, names = columns["sample"]
        # Codes of samples are ranks of their ids, so that their order does not depend on the file's.
        order = sorted(range(len(names)), key=names.__getitem__)
        self.ids: tuple[str, ...] = tuple(names[place] for place in order)
        rank = np.empty(len(names), dtype=np.int64)
        rank[order] = np.arange(len(names))
        group = keys * max(1, len(level_names)) + levels
        ranks = rank[samples] if len(samples) else samples
        rows = np.argsort(group * max(1, len(names)) + ranks, kind="stable")
        self._samples, self._group = ranks[rows], group[rows]
        self._values = {name: columns[name][rows] for name in ("label", "predicted", "confidence", "distance")}
        told = ATTEMPT_COLUMNS if "status" in columns else ()
        self._told = {name: columns[name][rows] for name in told}
        self._groups = columns[GROUP_COLUMN][rows] if GROUP_COLUMN in columns else None
        self._keys = {name: place for place, name in enumerate(self._key_names)}
        self._levels = {name: place for place, name in enumerate(level_names)}
        self._named: dict[bytes, tuple[str, ...]] = {}
        self._cut: dict[tuple[str, str], Slice | None] = {}

    def slice(self, key: str, level: str) -> Slice | None:
        """The rows of one cell and level, or None if there are none; cut once."""
        if (key, level) not in self._cut:
            self._cut[key, level] = self._rows(key, level)
        return self._cut[key, level]

    def _rows(self, key: str, level: str) -> Slice | None:
        if key not in self._keys or level not in self._levels:
            return None
        group = self._keys[key] * len(self._levels) + self._levels[level]
        start, stop = np.searchsorted(self._group, [group, group + 1])
        if start == stop:
            return None
        rows, samples, values = np.arange(start, stop), self._samples[start:stop], self._values
        if (np.diff(samples) == 0).any():
            # Two names of one suite may stand for one cell, whose rows are then written twice.
            samples, first = np.unique(samples, return_index=True)
            rows = first + start
        label, predicted, confidence, distance = (values[name][rows] for name in ("label", "predicted", "confidence", "distance"))
        return Slice(samples, label, predicted, confidence, distance, self._attempts(rows), self._grouped(rows))

    def _grouped(self, rows: npt.NDArray[np.int64]) -> Codes | None:
        found = None if self._groups is None else self._groups[rows]
        return None if found is None or np.isnan(found).any() else found.astype(np.int64)

    def _attempts(self, rows: npt.NDArray[np.int64]) -> Attempts | None:
        if not self._told:
            return None
        status, queries, similarity = (self._told[name][rows] for name in ATTEMPT_COLUMNS)
        return None if None in status else Attempts(tuple(status), queries, similarity)

    def names(self, codes: Codes) -> tuple[str, ...]:
        """The sample ids of `codes`; many cells share one tuple."""
        place = codes.tobytes()
        if place not in self._named:
            self._named[place] = tuple(self.ids[code] for code in codes.tolist())
        return self._named[place]


def read(path: Path) -> Outcomes:
    """Read outcomes.parquet.

    Raises:
        RecordError: the file is missing, damaged or has other columns.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = ["key", "level", "sample"]
    try:
        # Not `read_table`, which loads the whole of pyarrow.dataset for one file.
        with pq.ParquetFile(path, read_dictionary=texts) as file:
            missing = [name for name in OUTCOME_COLUMNS if name not in file.schema_arrow.names]
            if missing:
                raise RecordError(f"{path} lacks the columns {', '.join(missing)}; expected {', '.join(OUTCOME_COLUMNS)}.")
            told = all(name in file.schema_arrow.names for name in ATTEMPT_COLUMNS)
            grouped = GROUP_COLUMN in file.schema_arrow.names
            table = file.read(columns=[*OUTCOME_COLUMNS, *(ATTEMPT_COLUMNS if told else ()), *([GROUP_COLUMN] if grouped else ())])
        columns: dict[str, Any] = {name: _codes(table.column(name)) for name in texts}
        for name, kind in (("label", np.int64), ("predicted", np.int64), ("confidence", np.float64), ("distance", np.float64)):
            columns[name] = _numbers(table.column(name)).astype(kind)
        if told:
            columns["status"] = np.array(table.column("status").to_pylist(), dtype=object)
            columns["queries"] = _filled(table.column("queries"), 0).astype(np.int64)
            columns["similarity"] = _filled(table.column("similarity"), math.nan)
        if grouped:
            columns[GROUP_COLUMN] = _filled(table.column(GROUP_COLUMN), math.nan)
    except FileNotFoundError:
        raise RecordError(f"{path} is missing; a run's folder needs it. Run the suite again, or copy the whole folder.") from None
    except (OSError, pa.ArrowException, BufferError) as error:
        raise RecordError(f"{path} is damaged or holds unexpected values ({error}). Run the suite again; the store keeps every cell.") from error
    return Outcomes(columns)


def _codes(column: Any) -> tuple[Codes, list[str]]:
    """Codes and texts of a column of strings, one dictionary over all its chunks."""
    if len(column) == 0:
        return np.zeros(0, dtype=np.int64), []
    joined = column.unify_dictionaries().combine_chunks()
    return _numbers(joined.indices).astype(np.int64), joined.dictionary.to_pylist()


def _filled(column: Any, otherwise: float) -> npt.NDArray[np.float64]:
    """A column of numbers with something in the place of null; by lists, for pyarrow's own way imports pandas."""
    return np.array([otherwise if value is None else value for value in column.to_pylist()], dtype=np.float64)


def _numbers(column: Any) -> npt.NDArray[Any]:
    """A column of numbers; by DLPack, for pyarrow's own conversion imports pandas."""
    whole = column.combine_chunks() if hasattr(column, "combine_chunks") else column
    return np.zeros(0) if len(whole) == 0 else np.from_dlpack(whole)
