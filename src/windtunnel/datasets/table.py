"""A CSV or Parquet file with a column of image paths and a column of labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import SPLITS, Dataset, Splits
from windtunnel.datasets import files, pictures
from windtunnel.datasets.labels import class_index, class_names
from windtunnel.datasets.resize import Channels
from windtunnel.datasets.rows import Row, read_rows
from windtunnel.datasets.source import SplittingSource
from windtunnel.errors import DataError

SHOWN = 5
"""Missing files named in a message; the rest is counted."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Table(SplittingSource):
    """Images listed in a table, with their labels.

    Args:
        path: the .csv or .parquet file; "~" stands for the home folder.
        image: column of image paths, relative to the table's folder, which they may not leave.
        label: column of class names or numbers.
        split: column that says train, val or test; None if the data is one whole.
        classes: the label map, in order; every label must be in it, by name or by number. The labels found if left out.
        size: side of the square images are brought to: shorter side scaled (bicubic, antialiased), centre cropped.
        channels: 1 for grey, 3 for RGB.
        name: how the data is called in reports; the file's own name if left out.
        fractions: shares of train, val and test, where the table has no test split.
        seed: another seed is another split.
    """

    use: ClassVar[str] = "table"
    libraries: ClassVar[tuple[str, ...]] = ("pillow",)

    path: str
    image: str = "image"
    label: str = "label"
    split: str | None = None
    classes: tuple[str, ...] | None = None
    size: Annotated[int, Field(ge=1, le=4096)] = 224
    channels: Channels = 3
    name: str = ""

    @property
    def title(self) -> str:
        """The given name, else the table's own."""
        return self.name or Path(self.path).stem or self.use

    def load(self) -> Splits:
        """Read the table, then check, de-duplicate and split its images.

        Raises:
            DataError: a missing or damaged table, column or image, a path out of the folder, an image listed twice, or a label outside the map.
        """
        table = files.existing(self.path, "table", "Give a .csv or .parquet file with an image-path column and a label column.")
        rows = read_rows(table, self.image, self.label, self.split)
        paths = _paths(table, rows)
        classes = self.classes or _known(rows)
        labels = np.array([_label(table, row, classes) for row in rows], dtype=np.int64)
        ids = [files.relative_name(table.parent, path) for path in paths]
        _check_once(table, rows, ids)
        places: dict[str, list[int]] = {split: [] for split in SPLITS}
        for place, row in enumerate(rows):
            places[row.split or "train"].append(place)
        parts = {
            split: Dataset(
                self.title,
                classes,
                tuple(ids[place] for place in chosen),
                labels[chosen],
                pictures.of_files([paths[place] for place in chosen], self.size, self.channels),
            )
            for split, chosen in places.items()
            if chosen
        }
        return self.assemble(parts)

    def stamp(self) -> str:
        """A text that changes with the arguments, Pillow's version, the table, and the time or size of any image it lists."""
        table = Path(self.path).expanduser()
        if not table.is_file():
            return self.evidence("absent")
        listed = {table.parent / row.image for row in read_rows(table, self.image, self.label, self.split)}
        return self.evidence(*files.state(table.parent, [table]), *files.state(table.parent, _below(table.parent, listed)))


def _known(rows: Sequence[Row]) -> tuple[str, ...]:
    """The labels of train, or of all rows where none is for training."""
    trained = [row.label for row in rows if row.split in (None, "train")]
    return class_names(trained or [row.label for row in rows])


def _below(folder: Path, paths: set[Path]) -> list[Path]:
    """Those of `paths` that name something below `folder`; `load` refuses the others."""
    return [path for path in paths if path.is_relative_to(folder)]


def _label(table: Path, row: Row, classes: Sequence[str]) -> int:
    try:
        return class_index(row.label, classes)
    except DataError as error:
        raise DataError(f"{table}, row {row.number}: {error}") from None


def _paths(table: Path, rows: Sequence[Row]) -> list[Path]:
    """The image file of each row.

    Raises:
        DataError: a path that leads out of the table's folder, or files that are not there.
    """
    paths, missing = [], []
    for row in rows:
        path = table.parent / row.image
        try:
            files.inside(table.parent, path)
        except DataError as error:
            raise DataError(f"{table}, row {row.number}: {error}") from None
        if not path.is_file():
            missing.append(f"{row.image} (row {row.number})")
        paths.append(path)
    if missing:
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        raise DataError(
            f"{table}: {len(missing)} of {len(rows)} image files are missing: {', '.join(missing[:SHOWN])}{more}. "
            f"Paths count from {table.parent}; restore the files or remove their rows."
        )
    return paths


def _check_once(table: Path, rows: Sequence[Row], ids: Sequence[str]) -> None:
    first: dict[str, int] = {}
    for row, name in zip(rows, ids, strict=True):
        if name in first:
            raise DataError(f"{table}, row {row.number}: {name} is listed already in row {first[name]}; list each image once.")
        first[name] = row.number
