"""The handwritten digits of scikit-learn, made as large as the shipped networks expect."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Dataset, Splits
from windtunnel.datasets.resize import enlarge
from windtunnel.datasets.source import SplittingSource
from windtunnel.errors import MissingPackageError

CLASSES = tuple("0123456789")
LEVELS = 16  # load_digits counts ink in 4 x 4 blocks of a binary scan, so that its values run from 0 to 16


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Digits(SplittingSource):
    """1797 handwritten digits, 8 x 8 pixels enlarged bilinearly, grey.

    Args:
        size: side of the images, at least 8.
        fractions: shares of train, val and test.
        seed: another seed is another split.
    Source:
        `sklearn.datasets.load_digits`, the test part of the UCI set "Optical Recognition of Handwritten Digits".
    """

    use: ClassVar[str] = "digits"
    libraries: ClassVar[tuple[str, ...]] = ("scikit-learn",)

    size: Annotated[int, Field(ge=8, le=1024)] = 32

    def load(self) -> Splits:
        """Read, check, de-duplicate and split the digits.

        Raises:
            MissingPackageError: scikit-learn is not installed.
        """
        try:
            from sklearn.datasets import load_digits
        except ImportError as error:
            raise MissingPackageError("The data set 'digits' comes with scikit-learn: pip install 'windtunnel[vision]'") from error
        found = load_digits()
        levels = np.asarray(found.images, dtype=np.int64)[..., None]
        pixels = ((levels * 255 + LEVELS // 2) // LEVELS).astype(np.uint8)  # rounded half up, in whole numbers
        labels = np.asarray(found.target, dtype=np.int64)
        ids = tuple(f"digits/{row:04d}" for row in range(len(labels)))
        return self.assemble({"train": Dataset(self.title, CLASSES, ids, labels, enlarge(pixels, self.size))})

    def stamp(self) -> str:
        """A text that changes with the arguments and the version of scikit-learn."""
        return self.evidence()
