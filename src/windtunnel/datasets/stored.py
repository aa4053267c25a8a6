"""Stored: published test sets as they lie on disk, taken whole: a set that others cite is neither split nor thinned."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic.dataclasses import dataclass

from windtunnel import provenance
from windtunnel.core import canonical
from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Audit, Dataset, DataSource, ImageStore, Splits
from windtunnel.datasets import files
from windtunnel.errors import DataError

VARIABLE = "WINDTUNNEL_DATA"
"""Environment variable that names the folder of stored sets."""

DEFAULT = "~/.cache/windtunnel/data"
"""Where they are looked for without it."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Stored(DataSource):
    """Base of the published test sets; a concrete one says where its files lie and reads them.

    Args:
        path: the set's folder; `folder` below $WINDTUNNEL_DATA (else below ~/.cache/windtunnel/data) if left out.
        partial: accept a copy that lacks classes or files; its numbers are not those of the published set.
    Deviation:
        Nothing is removed, duplicates included. The fingerprint is taken over names, labels and sizes of files, not over their content.
    """

    folder: ClassVar[str]
    remedy: ClassVar[str]

    path: str | None = None
    partial: bool = False

    @property
    def root(self) -> Path:
        """The folder meant."""
        return place(self.path, self.folder)

    def stamp(self) -> str:
        """A text that changes with the arguments, the libraries, and any file's path, size or time."""
        return canonical.sha256([self.describe(), str(self.root), provenance.versions(self.libraries), files.tree_state(self.root)])

    def load(self) -> Splits:
        """The set as one test split.

        Raises:
            DataError: it is not there, incomplete or laid out in another way.
        """
        if not self.root.is_dir():
            raise DataError(
                f"{self.use} was not found at {self.root}. {self.remedy} Put it there, set {VARIABLE} to the folder that holds {self.folder}/, "
                "or give its `path`."
            )
        data, sizes = self.read()
        content = [data.classes, [[name, int(label)] for name, label in zip(data.ids, data.labels, strict=True)], sizes]
        counts = np.bincount(data.labels, minlength=len(data.classes))
        audit = Audit(found=len(data), balance={name: int(count) for name, count in zip(data.classes, counts, strict=True)})
        return Splits(self.title, {"test": data}, canonical.sha256(content), audit)

    @abstractmethod
    def read(self) -> tuple[Dataset, list[int]]:
        """The samples, and the size of every file they come from, in bytes."""

    def incomplete(self, found: str, expected: str) -> None:
        """Refuse a copy with other contents than were published, unless `partial` accepts it.

        Raises:
            DataError: in that case.
        """
        if not self.partial:
            raise DataError(
                f"{self.use} at {self.root} has {found}; expected {expected}. {self.remedy} With `partial: true` it is used as it is, "
                "and its numbers are not those of the published set."
            )

    def dataset(self, classes: tuple[str, ...], ids: list[str], labels: list[int], images: ImageStore) -> Dataset:
        """The test split."""
        return Dataset(f"{self.title}[test]", classes, tuple(ids), np.array(labels, dtype=np.int64), images)


def place(path: str | None, folder: str) -> Path:
    """`path`, or where a folder of that name is looked for if it is None."""
    given = Path(path) if path is not None else Path(os.environ.get(VARIABLE, DEFAULT)) / folder
    return given.expanduser()


def class_folders(root: Path) -> Mapping[str, Path]:
    """Folders directly below `root` by name, hidden ones left out."""
    return {path.name: path for path in sorted(root.iterdir()) if path.is_dir() and not path.name.startswith(".")}


def pictures_in(folder: Path) -> Iterator[Path]:
    """Files directly in `folder` that a picture's name ends, sorted."""
    return (path for path in sorted(folder.iterdir()) if path.suffix.lower() in (".jpeg", ".jpg", ".png", ".webp", ".bmp"))
