"""A folder of images per class."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import SPLITS, Dataset, Splits
from windtunnel.datasets import files, pictures
from windtunnel.datasets.resize import Channels
from windtunnel.datasets.source import SplittingSource
from windtunnel.errors import DataError, suggest

COMPANIONS = frozenset(
    {"thumbs.db", "desktop.ini", "readme", "readme.md", "readme.txt", "license", "license.md", "license.txt", "metadata.csv", "metadata.jsonl"}
)
"""Files that are no images and may lie among them, in any case; hidden files may, too. Anything else must be an image."""

LAYOUT = "expected path/class/image or path/train/class/image (and val, test)"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Folder(SplittingSource):
    """Images in one folder per class, with or without folders train, val and test above them.

    Images are decoded when they are asked for; `load` decodes each once to check it.

    Args:
        path: the folder; "~" stands for the home folder.
        size: side of the square images are brought to: shorter side scaled (bicubic, antialiased), centre cropped.
        channels: 1 for grey, 3 for RGB.
        name: how the data is called in reports; the folder's own name if left out.
        fractions: shares of train, val and test, where the folder has no test split.
        seed: another seed is another split.
    """

    use: ClassVar[str] = "folder"
    libraries: ClassVar[tuple[str, ...]] = ("pillow",)

    path: str
    size: Annotated[int, Field(ge=1, le=4096)] = 224
    channels: Channels = 3
    name: str = ""

    @property
    def title(self) -> str:
        """The given name, else the folder's own."""
        return self.name or Path(self.path).name or self.use

    def load(self) -> Splits:
        """List, check, de-duplicate and split the images.

        Raises:
            DataError: a missing or empty folder, another layout, a file that is no image, a damaged image, or a link out of the folder.
        """
        root = files.existing(self.path, "folder", f"Give a folder that holds images: {LAYOUT}.")
        if not root.is_dir():
            raise DataError(f"{root} is a file; {LAYOUT}. For a table of image paths use the source 'table'.")
        tops = {split: root / split for split in SPLITS if (root / split).is_dir()}
        if not tops or {folder.name for folder in _folders(root)} - set(SPLITS):
            tops = {"train": root}
        listings = {split: _listing(root, top) for split, top in tops.items()}
        classes = _classes(root, listings)
        return self.assemble({split: self._part(root, classes, listing) for split, listing in listings.items()})

    def _part(self, root: Path, classes: tuple[str, ...], listing: dict[str, list[Path]]) -> Dataset:
        paths = [path for found in listing.values() for path in found]
        labels = [label for name, found in listing.items() for label in [classes.index(name)] * len(found)]
        ids = tuple(files.relative_name(root, path) for path in paths)
        store = pictures.of_files(paths, self.size, self.channels)
        return Dataset(self.title, classes, ids, np.array(labels, dtype=np.int64), store)

    def stamp(self) -> str:
        """A text that changes with the arguments, Pillow's version, and any file's path, size or time."""
        return self.evidence(*files.tree_state(Path(self.path).expanduser()))


def _visible(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.iterdir()) if not path.name.startswith("."))


def _folders(folder: Path) -> list[Path]:
    return [path for path in _visible(folder) if path.is_dir()]


def _images(root: Path, folder: Path, nested: str) -> list[Path]:
    """Files directly in `folder` that must be images; a folder among them is refused with the words of `nested`."""
    found = []
    for path in _visible(folder):
        files.inside(root, path)
        if path.is_dir():
            raise DataError(f"{path} is a folder inside {nested}; {LAYOUT}.")
        if path.name.lower() not in COMPANIONS:
            found.append(path)
    return found


def _listing(root: Path, top: Path) -> dict[str, list[Path]]:
    """Class name -> image files of one split, both sorted by name."""
    files.inside(root, top)
    loose = [path for path in _visible(top) if not path.is_dir() and path.name.lower() not in COMPANIONS]
    if loose:
        raise DataError(f"{loose[0]} lies outside every class folder; {LAYOUT}. Move it into the folder of its class, or remove it.")
    listing = {folder.name: _images(root, files.inside(root, folder), "a class folder") for folder in _folders(top)}
    if not listing:
        raise DataError(f"{top} holds no class folder; {LAYOUT}.")
    for name, found in listing.items():
        if not found:
            raise DataError(f"The class folder {top / name} holds no image; add some, or remove the folder.")
    return listing


def _classes(root: Path, listings: dict[str, dict[str, list[Path]]]) -> tuple[str, ...]:
    """Class names in alphabetical order: those of train, which every other split must stay within."""
    known = sorted(listings["train"] if "train" in listings else {name for listing in listings.values() for name in listing})
    for split, listing in listings.items():
        for name in listing:
            if name not in known:
                raise DataError(f"{root / split / name} is a class that train does not have. {suggest(name, known)}")
    return tuple(known)
