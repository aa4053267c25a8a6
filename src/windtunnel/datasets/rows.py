"""Rows of a table in a file: named columns as text, each row with the number it has in the file."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from windtunnel.core.dataset import SPLITS
from windtunnel.errors import DataError, MissingPackageError, suggest


@dataclass(frozen=True)
class Row:
    """One labelled image.

    Args:
        number: in a CSV file the line it ends on; in a Parquet file its row, counted from 1.
        image: path as written.
        label: as text; whole numbers without a decimal point.
        split: "train", "val" or "test"; None where the table has no such column.
    """

    number: int
    image: str
    label: str
    split: str | None


def read_rows(path: Path, image: str, label: str, split: str | None) -> list[Row]:
    """Read the table at `path`.

    Args:
        image, label, split: names of columns; None for no split column.
    Raises:
        DataError: another format, a missing column, an empty cell, an unknown split, or a damaged file.
    """
    columns = [image, label] if split is None else [image, label, split]
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".parquet"):
        raise DataError(f"{path} is neither a .csv nor a .parquet file; write the table in one of the two.")
    return [_row(path, number, columns, values) for number, values in read_cells(path, columns, "image")]


def read_cells(path: Path, columns: Sequence[str], noun: str) -> list[tuple[int, list[str]]]:
    """The number of each row in a .csv, .tsv, .jsonl or .parquet file, and its values in some columns; empty where there is none.

    Args:
        noun: what a row stands for, for messages.
    Raises:
        DataError: another format, a missing column, no rows, or a damaged file.
    """
    readers: dict[str, Callable[[Path, Sequence[str]], list[tuple[int, list[str]]]]] = {
        ".csv": _csv_cells,
        ".tsv": partial(_csv_cells, delimiter="\t"),
        ".jsonl": _json_cells,
        ".parquet": _parquet_cells,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path} is not one of {', '.join(readers)}; write the table in one of these.")
    cells = reader(path, columns)
    if not cells:
        raise DataError(f"{path} has no rows; expected one for each {noun}.")
    return cells


def _row(path: Path, number: int, columns: Sequence[str], values: Sequence[str]) -> Row:
    for column, value in zip(columns, values, strict=True):
        if not value.strip():
            raise DataError(f"{path}, row {number}: the column {column!r} is empty; every image needs a value there.")
    image, label, *rest = values
    if rest and rest[0] not in SPLITS:
        raise DataError(f"{path}, row {number}: {rest[0]!r} is not a split. {suggest(rest[0], SPLITS)}")
    return Row(number, image, label, rest[0] if rest else None)


def _check_columns(path: Path, found: Sequence[str], wanted: Sequence[str]) -> None:
    for column in wanted:
        if column not in found:
            raise DataError(f"{path} has no column {column!r}. {suggest(column, found)}")


def _csv_cells(path: Path, columns: Sequence[str], delimiter: str = ",") -> list[tuple[int, list[str]]]:
    cells = []
    try:
        # "utf-8-sig", for spreadsheets put a byte order mark in front of the first column's name.
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True, delimiter=delimiter)
            header = next(reader, [])
            _check_columns(path, header, columns)
            places = [header.index(column) for column in columns]
            for values in reader:
                if not values:
                    continue  # a blank line, which CSV writers leave at the end
                if len(values) != len(header):
                    raise DataError(
                        f"{path}, row {reader.line_num}: {len(values)} values for {len(header)} columns; "
                        "quote values that hold the separator, and look whether the file is truncated."
                    )
                cells.append((reader.line_num, [values[place] for place in places]))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as CSV in UTF-8: {error}") from error
    return cells


def _json_cells(path: Path, columns: Sequence[str]) -> list[tuple[int, list[str]]]:
    objects: list[tuple[int, dict[str, object]]] = []
    try:
        with path.open(encoding="utf-8-sig") as stream:
            for number, line in enumerate(stream, start=1):
                if not line.strip():
                    continue
                found = json.loads(line)
                if not isinstance(found, dict):
                    raise DataError(f"{path}, row {number}: a {type(found).__name__}; expected an object with a value for each column.")
                objects.append((number, found))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as JSON in UTF-8, an object a line: {error}") from error
    if objects:
        _check_columns(path, sorted({name for _, found in objects for name in found}), columns)
    return [(number, [_text(found.get(column)) for column in columns]) for number, found in objects]


def _parquet_cells(path: Path, columns: Sequence[str]) -> list[tuple[int, list[str]]]:
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingPackageError(f"Reading {path} needs pyarrow: pip install pyarrow") from error
    try:
        _check_columns(path, parquet.read_schema(path).names, columns)
        table = parquet.read_table(path, columns=list(columns), partitioning=None)
    except (OSError, arrow.ArrowException) as error:
        raise DataError(f"{path} cannot be read as Parquet ({error}); it may be truncated. Write or fetch it anew.") from error
    values = zip(*(table.column(column).to_pylist() for column in columns), strict=True)
    return [(number, [_text(value) for value in row]) for number, row in enumerate(values, start=1)]


def _text(value: object) -> str:
    if value is None or value != value:  # NaN, by which some writers mean that there is nothing
        return ""
    # pandas turns whole numbers with gaps into floats.
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
