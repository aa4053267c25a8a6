"""Near duplicates: samples that say again, almost to the letter, what others say."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar, Final

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.condition import Condition, Labels, altered, other_class, shuffled
from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Dataset, Pixels
from windtunnel.errors import DataError
from windtunnel.seeding import generator, generators

_MOVES: Final = ((0, 1), (0, -1), (1, 1), (1, -1))
"""Axis and direction of a shift by one pixel."""

_STOPS: Final = ".!?"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class NearDuplicates(Condition):
    """A share of the samples is replaced by near copies of others, which stay beside them.

    They take the place of other samples instead of being added, so that as many samples are trained on as on the data as it is, and what is
    measured is what they say too little. An image is moved by one pixel, its border repeated, and one level brighter or darker; a text begins
    with a letter in the other case, or loses or gains its full stop.

    Args:
        share: of the samples that are near copies, above 0 and below 1; rounded, and one original always stays.
        conflicting: whether a copy carries another label than its original, drawn uniformly.
    Source:
        Lee et al. 2022, arXiv 2107.06499, and Barz and Denzler 2020, arXiv 1902.00423, for how common they are in texts and images.
        Deviation: the copies are ours.
    """

    use: ClassVar[str] = "near-duplicates"

    share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    conflicting: bool = False

    @property
    def title(self) -> str:
        """Share, and whether labels conflict."""
        return f"{self.use} {100 * self.share:g} %" + (", conflicting" if self.conflicting else "")

    def check(self, labels: Labels, classes: tuple[str, ...]) -> None:
        """Conflicting labels need two classes at least; see `Condition`."""
        if self.conflicting and len(classes) < 2:
            raise DataError("Conflicting near-duplicates need two classes at least; there is one.")

    def change(self, data: Dataset, seed: int) -> Dataset:
        """Originals and copies; a copy's id tells whose it is, and whose place it took. See `Condition`."""
        order = shuffled(data, self.use, seed)
        count = min(round(self.share * len(data)), max(0, len(data) - 1))
        copies, originals = frozenset(order[:count]), order[count:]
        source, labels, ids = np.arange(len(data)), data.labels.copy(), list(data.ids)
        for row, draw in zip(order[:count], generators(seed, self.use, [data.ids[row] for row in order[:count]]), strict=True):
            source[row] = original = originals[int(draw.integers(len(originals)))]
            label = int(data.labels[original])
            labels[row] = other_class(draw, label, len(data.classes)) if self.conflicting else label
            ids[row] = f"{data.ids[row]}, now nearly {data.ids[original]}"

        def draw_of(row: int) -> np.random.Generator:
            return generator(seed, f"{self.use} copy", data.ids[row])

        return altered(
            replace(data.take(source, tuple(ids)), labels=labels),
            lambda row, image: _moved(image, draw_of(row)) if row in copies else image,
            lambda row, text: _retyped(text, draw_of(row)) if row in copies else text,
        )


def _moved(image: Pixels, draw: np.random.Generator) -> Pixels:
    """An image moved by a pixel and one level brighter or darker."""
    axis, step = _MOVES[int(draw.integers(len(_MOVES)))]
    padded = np.pad(image, [(1, 1) if each == axis else (0, 0) for each in range(3)], mode="edge")
    start = 1 - step
    moved = padded.take(range(start, start + image.shape[axis]), axis=axis).astype(np.int64)
    changed: Pixels = np.clip(moved + (1 if draw.random() < 0.5 else -1), 0, 255).astype(np.uint8)  # either way as often
    return changed


def _retyped(text: str, draw: np.random.Generator) -> str:
    """A text whose first letter changed its case, or whose last stop came or went; the latter where the former cannot be."""
    place = next((place for place, letter in enumerate(text) if letter.isalpha()), len(text))
    turned = text[:place] + text[place : place + 1].swapcase() + text[place + 1 :]
    bare = text.rstrip(_STOPS)
    stopped = bare if bare != text and bare.strip() else f"{text}."
    return stopped if turned == text or draw.random() < 0.5 else turned  # either way as often
