"""Few shots: a handful of samples of each class."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.condition import Condition, Labels, shuffled_classes
from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Dataset
from windtunnel.errors import DataError


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FewShot(Condition):
    """So many samples of each class and no more.

    The validation split shrinks with it, to as many of each class or all that there are: a large one to choose by would be worth more than
    the training split itself.

    Args:
        per_class: samples of each class.
    Source:
        Perez et al. 2021, arXiv 2105.11447, on what held-out samples are worth in few-shot learning.
    """

    use: ClassVar[str] = "few-shot"

    per_class: Annotated[int, Field(ge=1)] = 16

    @property
    def title(self) -> str:
        """With the number."""
        return f"{self.use} {self.per_class}"

    def check(self, labels: Labels, classes: tuple[str, ...]) -> None:
        """Every class must have as many samples; see `Condition`."""
        found = np.bincount(labels, minlength=len(classes))
        if found.min() < self.per_class:
            place = int(found.argmin())
            raise DataError(
                f"few-shot asks for {self.per_class} samples of each class, and {classes[place]!r} has {found[place]} to train on. "
                f"Ask for at most {found[place]}, or train on more data."
            )

    def kept(self, labels: Labels) -> int:
        """That many for each class."""
        return self.per_class * len(np.unique(labels))

    def change(self, data: Dataset, seed: int) -> Dataset:
        """The chosen samples, in their order; see `Condition`."""
        rows = [row for found in shuffled_classes(data, self.use, seed).values() for row in found[: self.per_class]]
        return data.take(sorted(rows))
