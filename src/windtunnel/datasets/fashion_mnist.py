"""Fashion-MNIST from its idx files: 70,000 garments in 10 classes."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Dataset, Splits
from windtunnel.datasets import files
from windtunnel.datasets.idx import read_idx
from windtunnel.datasets.resize import pad
from windtunnel.datasets.source import SplittingSource
from windtunnel.errors import DataError

CLASSES = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
SIDE = 28
FILES = {"train": "train", "test": "t10k"}
SYSTEM_FOLDERS = ("/usr/share/datasets/fashion-mnist", "/usr/local/share/datasets/fashion-mnist")
"""Where packages put the files; the first is Debian's."""

REMEDY = (
    "Get the data with `apt-get install dataset-fashion-mnist`, or by "
    "`torchvision.datasets.FashionMNIST(root, download=True)` and give that root as `path`."
)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FashionMnist(SplittingSource):
    """Fashion-MNIST with its official test split, 28 x 28 pixels padded with zeros to 32 x 32, grey.

    Args:
        path: folder of the four idx files (.gz or not), or the root of a torchvision download; None to look in the folders of
            the system's packages.
        fractions: the first two are the proportion in which val is cut from the official train split.
        seed: another seed is another split.
    Source:
        Xiao, Rasul and Vollgraf 2017, arXiv 1708.07747.
    """

    use: ClassVar[str] = "fashion-mnist"

    path: str | None = None

    def load(self) -> Splits:
        """Read, check, de-duplicate and split the garments.

        Raises:
            DataError: a file that is missing, truncated or of another kind.
        """
        folder = self._folder()
        if folder is None:
            places = ", ".join(str(place) for place in self._places())
            raise DataError(f"The files of fashion-mnist were not found; looked in {places}. {REMEDY}")
        return self.assemble({split: self._part(folder, split) for split in FILES})

    def stamp(self) -> str:
        """A text that changes with the arguments and the size or time of any of the four files."""
        folder = self._folder()
        if folder is None:
            return self.evidence("absent")
        found = (_find(folder, name) for name in _names())
        return self.evidence(*files.state(folder, [path for path in found if path is not None]))

    def _places(self) -> list[Path]:
        if self.path is None:
            return [Path(folder) for folder in SYSTEM_FOLDERS]
        root = Path(self.path).expanduser()
        return [root, root / "FashionMNIST" / "raw"]

    def _folder(self) -> Path | None:
        """The first place that holds any of the files."""
        return next((place for place in self._places() if any(_find(place, name) for name in _names())), None)

    def _part(self, folder: Path, split: str) -> Dataset:
        places = []
        for name in _names(FILES[split]):
            place = _find(folder, name)
            if place is None:
                raise DataError(f"{folder / name} is missing, compressed (.gz) or not, though other files of fashion-mnist are there. {REMEDY}")
            places.append(place)
        pixels, labels = (read_idx(place, dimensions, REMEDY) for place, dimensions in zip(places, (3, 1), strict=True))
        _check(places, pixels, labels)
        ids = tuple(f"fashion-mnist/{split}/{row:05d}" for row in range(len(labels)))
        return Dataset(self.title, CLASSES, ids, labels.astype(np.int64), pad(pixels[..., None], 32))


def _names(*stems: str) -> list[str]:
    """File names of images and labels, in that order."""
    return [f"{stem}-{kind}-ubyte" for stem in stems or FILES.values() for kind in ("images-idx3", "labels-idx1")]


def _find(folder: Path, name: str) -> Path | None:
    choices = (folder / name, folder / f"{name}.gz")
    return next((choice for choice in choices if choice.is_file()), None)


def _check(places: list[Path], pixels: np.ndarray, labels: np.ndarray) -> None:
    """Refuse images and labels that do not belong together, or to this data set."""
    if pixels.shape[1:] != (SIDE, SIDE):
        raise DataError(f"{places[0]} holds images of {pixels.shape[2]} x {pixels.shape[1]}; expected {SIDE} x {SIDE}. {REMEDY}")
    if len(pixels) != len(labels):
        raise DataError(f"{places[0]} holds {len(pixels)} images and {places[1]} {len(labels)} labels; expected as many. {REMEDY}")
    outside = np.flatnonzero(labels >= len(CLASSES))
    if len(outside):
        row = int(outside[0])
        raise DataError(f"{places[1]}, row {row}: the label {labels[row]} is outside the label map of {len(CLASSES)} classes. {REMEDY}")
