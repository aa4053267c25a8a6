"""Condition: one way in which training data may be bad."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass as plain_dataclass
from dataclasses import replace
from typing import ClassVar, Literal, final

import numpy as np
import numpy.typing as npt
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT, Configured
from windtunnel.core.dataset import Dataset, ImageStore, Indices, Pixels
from windtunnel.core.modality import ANY
from windtunnel.core.texts import Texts
from windtunnel.seeding import digest

Labels = npt.NDArray[np.int64]

CLEAN = "clean"
"""Stands for the data as it is among the conditions of a suite."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Condition(Configured, ABC):
    """One way in which training data may be bad; subclasses are frozen dataclasses that write `change`.

    The test data is never touched. Draws are keyed by the seed, the condition's name and each sample's id, so that the order of the rows
    does not matter.

    Args:
        validation: "same": the validation split is as bad as the training split, for whoever has bad data holds out a part of it, and has no
            better one to choose a checkpoint by; "clean": it stays as it is, which says what a checked validation split would be worth.
    """

    modality: ClassVar[str] = ANY
    """Which inputs it changes; "any" where it does not matter."""

    validation: Literal["same", "clean"] = "same"

    @property
    @abstractmethod
    def title(self) -> str:
        """The name under which it is shown: "label-noise 40 %"."""

    def check(self, labels: Labels, classes: tuple[str, ...]) -> None:
        """Refuse a training split that cannot be made bad in this way.

        Args:
            labels: of its samples.
            classes: names that the labels stand for.
        Raises:
            DataError: in that case.
        """

    def kept(self, labels: Labels) -> int:
        """How many samples it leaves of a training split with these labels."""
        return len(labels)

    @abstractmethod
    def change(self, data: Dataset, seed: int) -> Dataset:
        """One split made bad.

        Args:
            data: a training split that `check` lets pass, or a validation split of which nothing is known.
            seed: keys the draws, with each sample's id.
        """

    @final
    def apply(self, data: Dataset, split: str, seed: int) -> Dataset:
        """The "train" or "val" split as it is under this condition.

        Raises:
            DataError: a training split that cannot be made bad in this way.
        """
        if split == "val" and self.validation == "clean":
            return data
        if split == "train":
            self.check(data.labels, data.classes)
        return self.change(data, seed)


@plain_dataclass(frozen=True)
class _Altered:
    """A view of another store's images, each changed whenever it is read."""

    source: ImageStore
    change: Callable[[int, Pixels], Pixels]

    def __getitem__(self, indices: Indices) -> Pixels:
        pixels = self.source[indices]
        if not len(pixels):
            return pixels
        return np.stack([self.change(int(row), image) for row, image in zip(indices, pixels, strict=True)])


def altered(data: Dataset, image: Callable[[int, Pixels], Pixels], text: Callable[[int, str], str] | None = None) -> Dataset:
    """The samples with their inputs changed; images only when they are read, so that none but those asked for are in memory.

    Args:
        image: row and one uint8 image (height, width, channel) to another of the same shape, the same for every call.
        text: row and one text to another; asked about open fields only. None leaves texts as they are.
    """
    store = data.store
    if isinstance(store, Texts):
        return data if text is None else replace(data, store=store.rewrite(text))
    return replace(data, store=_Altered(store, image))


def shuffled(data: Dataset, purpose: str, seed: int) -> list[int]:
    """The rows in an order that depends on seed, purpose and ids alone."""
    return sorted(range(len(data)), key=lambda row: digest(seed, purpose, data.ids[row]))


def shuffled_classes(data: Dataset, purpose: str, seed: int) -> dict[int, list[int]]:
    """The rows of each class in such an order, by label."""
    found: dict[int, list[int]] = {label: [] for label in range(len(data.classes))}
    for row in shuffled(data, purpose, seed):
        found[int(data.labels[row])].append(row)
    return found


def other_class(draw: np.random.Generator, label: int, classes: int) -> int:
    """A class drawn uniformly among those that `label` is not."""
    drawn = int(draw.integers(classes - 1))
    return drawn + (drawn >= label)
