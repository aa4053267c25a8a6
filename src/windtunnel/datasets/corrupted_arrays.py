"""CIFAR-10-C, CIFAR-100-C and MNIST-C from their .npy files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass as plain
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Dataset, Indices, Pixels
from windtunnel.datasets.stored import Stored
from windtunnel.errors import DataError, suggest

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_CIFAR100 = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle caterpillar cattle chair
chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard
lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear
pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail
snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale
willow_tree wolf woman worm
"""
CIFAR100 = tuple(_CIFAR100.split())
SEVERITIES = 5


@plain(frozen=True)
class _Rows:
    """Images of several arrays that stay on disk, one after the other."""

    arrays: tuple[np.ndarray, ...]
    shape: Callable[[Pixels], Pixels]

    def __getitem__(self, indices: Indices) -> Pixels:
        length = len(self.arrays[0])
        return np.stack([self.shape(np.asarray(self.arrays[row // length][row % length])) for row in indices.tolist()])


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Cifar10C(Stored):
    """CIFAR-10-C: the test images of CIFAR-10 under one corruption in its severities, or under all found.

    Args:
        corruption: name of its file, e.g. "gaussian_noise"; empty for all.
        severities: which of 1 to 5.
        path: the set's folder; `CIFAR-10-C` below $WINDTUNNEL_DATA (else below ~/.cache/windtunnel/data) if left out.
        partial: accept arrays of another length; their numbers are not those of the published set.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261.
    """

    use: ClassVar[str] = "cifar10-c"
    libraries: ClassVar[tuple[str, ...]] = ("numpy",)
    folder: ClassVar[str] = "CIFAR-10-C"
    remedy: ClassVar[str] = "Get it from zenodo.org, record 2535967, and unpack it."
    names: ClassVar[tuple[str, ...]] = CIFAR10
    count: ClassVar[int] = 10_000

    corruption: str = ""
    severities: tuple[Annotated[int, Field(ge=1, le=5)], ...] = (1, 2, 3, 4, 5)

    @property
    def title(self) -> str:
        """The name of the set with that of the corruption."""
        return f"{self.use}/{self.corruption}" if self.corruption else self.use

    def read(self) -> tuple[Dataset, list[int]]:
        """The rows of the severities asked for; the arrays stay on disk."""
        known = sorted(path.stem for path in self.root.glob("*.npy") if path.stem != "labels")
        if self.corruption and self.corruption not in known:
            raise DataError(f"{self.use} at {self.root} has no corruption {self.corruption!r}. {suggest(self.corruption, known)} {self.remedy}")
        chosen = [self.corruption] if self.corruption else known
        if not chosen:
            raise DataError(f"{self.root} holds no corruption (.npy). {self.remedy}")
        places = [self.root / f"{name}.npy" for name in chosen]
        arrays = [_open(place, self.remedy) for place in places]
        truth = _open(self.root / "labels.npy", self.remedy)
        each = len(truth) // SEVERITIES
        for place, array in zip(places, arrays, strict=True):
            if array.shape[1:] != (32, 32, 3) or array.dtype != np.uint8 or len(array) != len(truth):
                raise DataError(f"{place} holds {array.dtype} {array.shape}; expected uint8 ({len(truth)}, 32, 32, 3). {self.remedy}")
        if each != self.count:
            self.incomplete(f"{each} images a severity", f"{self.count}")
        ids, labels, pieces = [], [], []
        for name, array in zip(chosen, arrays, strict=True):
            for severity in self.severities:
                start = (severity - 1) * each
                pieces.append(array[start : start + each])
                labels += truth[start : start + each].tolist()
                ids += [f"{self.use}/{name}/{severity}/{row:05d}" for row in range(each)]
        _check_labels(labels, len(self.names), self.root / "labels.npy", self.remedy)
        return self.dataset(self.names, ids, labels, _Rows(tuple(pieces), lambda image: image)), [place.stat().st_size for place in places]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Cifar100C(Cifar10C):
    """CIFAR-100-C: the test images of CIFAR-100 under one corruption in its severities, or under all found.

    Args:
        corruption, severities, path, partial: as of `cifar10-c`; the folder is `CIFAR-100-C`.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261.
    """

    use: ClassVar[str] = "cifar100-c"
    folder: ClassVar[str] = "CIFAR-100-C"
    remedy: ClassVar[str] = "Get it from zenodo.org, record 3555552, and unpack it."
    names: ClassVar[tuple[str, ...]] = CIFAR100


@dataclass(frozen=True, kw_only=True, config=STRICT)
class MnistC(Stored):
    """MNIST-C: the test digits of MNIST under one of 15 corruptions, or under all found; padded with zeros to 32 x 32.

    Args:
        corruption: name of its folder, e.g. "fog"; empty for all.
        path: the set's folder; `mnist_c` below $WINDTUNNEL_DATA (else below ~/.cache/windtunnel/data) if left out.
        partial: accept arrays of another length; their numbers are not those of the published set.
    Source:
        Mu and Gilmer 2019, arXiv 1906.02337.
    """

    use: ClassVar[str] = "mnist-c"
    libraries: ClassVar[tuple[str, ...]] = ("numpy",)
    folder: ClassVar[str] = "mnist_c"
    remedy: ClassVar[str] = "Get it from zenodo.org, record 3239543, and unpack it."
    count: ClassVar[int] = 10_000

    corruption: str = ""

    @property
    def title(self) -> str:
        """The name of the set with that of the corruption."""
        return f"{self.use}/{self.corruption}" if self.corruption else self.use

    def read(self) -> tuple[Dataset, list[int]]:
        """The test arrays of the corruptions asked for; they stay on disk."""
        from windtunnel.datasets.resize import pad

        known = sorted(path.parent.name for path in self.root.glob("*/test_images.npy"))
        if self.corruption and self.corruption not in known:
            raise DataError(f"{self.use} at {self.root} has no corruption {self.corruption!r}. {suggest(self.corruption, known)} {self.remedy}")
        chosen = [self.corruption] if self.corruption else known
        if not chosen:
            raise DataError(f"{self.root} holds no corruption (a folder with test_images.npy). {self.remedy}")
        ids, labels, pieces, sizes = [], [], [], []
        for name in chosen:
            place = self.root / name / "test_images.npy"
            array, truth = _open(place, self.remedy), _open(self.root / name / "test_labels.npy", self.remedy)
            if array.shape != (len(truth), 28, 28, 1) or array.dtype != np.uint8:
                raise DataError(f"{place} holds {array.dtype} {array.shape}; expected uint8 ({len(truth)}, 28, 28, 1). {self.remedy}")
            if len(array) != self.count:
                self.incomplete(f"{len(array)} images of {name}", f"{self.count}")
            _check_labels(truth.tolist(), 10, self.root / name / "test_labels.npy", self.remedy)
            pieces.append(array)
            sizes.append(place.stat().st_size)
            labels += truth.tolist()
            ids += [f"{self.use}/{name}/{row:05d}" for row in range(len(array))]
        if len({len(piece) for piece in pieces}) > 1:
            raise DataError(f"The corruptions of {self.use} at {self.root} have different numbers of images. {self.remedy}")
        store = _Rows(tuple(pieces), lambda image: pad(image[None], 32)[0])
        return self.dataset(tuple("0123456789"), ids, labels, store), sizes


def _open(place: Path, remedy: str) -> np.ndarray[Any, Any]:
    """An array that stays on disk; nothing pickled is ever loaded."""
    try:
        found: np.ndarray[Any, Any] = np.load(place, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{place} cannot be read as an array: {error} {remedy}") from error
    return found


def _check_labels(labels: list[int], classes: int, place: Path, remedy: str) -> None:
    outside = [row for row, label in enumerate(labels) if not 0 <= label < classes]
    if outside:
        raise DataError(f"{place}, row {outside[0]}: the label {labels[outside[0]]} is outside the label map of {classes} classes. {remedy}")
