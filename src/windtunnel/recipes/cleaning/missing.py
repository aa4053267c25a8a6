"""Missing values: images with too many missing pixels are dropped and the rest filled in; texts with too few words are dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.cleaning import Cleaned, Cleaning
from windtunnel.core.condition import altered
from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Dataset, Pixels
from windtunnel.core.texts import Texts
from windtunnel.errors import RecipeError
from windtunnel.recipes.arguments import Count

if TYPE_CHECKING:
    from windtunnel.core.recipe import Finetuning

Holes = npt.NDArray[np.bool_]

BLOCK = 256
"""Images that are read at once."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Missing(Cleaning):
    """Images that lack much are dropped, what others lack is filled in, and texts of hardly any words are dropped.

    A pixel is missing if every channel has the one value that stands for nothing. Where images have that value by nature, such as a black
    background, nothing tells these pixels from missing ones, and this cleaning is not for them.

    Args:
        value: that value, from 0 (black) to 1 (white), as in the training condition of this name. On images only.
        most: share of an image's pixels that may be missing; with more it is dropped. On images only.
        fill: what missing pixels become: the "mean" or "median" of the training images at that place, where they are present; the mean of
            their "neighbours", from the edge of a hole inwards; "nothing" leaves them. On images only.
        words: a text with fewer is dropped; fields of a sample count together. On texts only.
    Source:
        Little and Rubin, Statistical Analysis with Missing Data: complete cases, and mean imputation. Deviation: single, not multiple.
    """

    use: ClassVar[str] = "missing"

    value: Annotated[float, Field(ge=0, le=1)] = 0.0
    most: Annotated[float, Field(ge=0, le=1)] = 0.5
    fill: Literal["mean", "median", "neighbours", "nothing"] = "median"
    words: Count = 1

    def clean(self, work: Finetuning) -> Cleaned:
        """What is complete enough, filled in; see `Cleaning`."""
        data = work.train
        if isinstance(data.store, Texts):
            few = np.array([sum(len(text.split()) for text in row) < self.words for row in data.texts()], dtype=np.bool_)
            return _without(data, few)
        shares = np.concatenate([self.holes(data.pixels(rows)).mean((1, 2)) for rows in _blocks(data)])
        found = _without(data, shares > self.most)
        notes = {"mean missing share": round(float(shares.mean()), 4)}
        if self.fill == "nothing" or not (shares > 0).any():
            return Cleaned(found.data, found.suspected, notes)
        return Cleaned(self._filled(found.data), found.suspected, notes, rewritten=True)

    def holes(self, pixels: Pixels) -> Holes:
        """Where pixels are missing, (..., height, width)."""
        missing: Holes = (pixels == round(255 * self.value)).all(-1)
        return missing

    def _filled(self, data: Dataset) -> Dataset:
        if self.fill == "neighbours":
            return altered(data, lambda row, image: from_neighbours(image, self.holes(image)))
        usual = self._usual(data)
        return altered(data, lambda row, image: np.where(self.holes(image)[..., None], usual, image))

    def _usual(self, data: Dataset) -> Pixels:
        """Mean or median of what is present at each place, (height, width, channel); of the whole images at places that none has."""
        shape = data.pixels([0]).shape[1:]
        counts = np.zeros((256, int(np.prod(shape))), dtype=np.int64)
        places = np.arange(counts.shape[1]).reshape(shape)
        for rows in _blocks(data):
            for image in data.pixels(rows):
                present = ~self.holes(image)
                counts[image[present], places[present]] += 1
        empty = counts.sum(0) == 0
        counts[:, empty] = counts.sum(1)[:, None]
        found = _median(counts) if self.fill == "median" else np.round(np.arange(256) @ counts / np.maximum(counts.sum(0), 1))
        return found.astype(np.uint8).reshape(shape)


def _without(data: Dataset, bad: Holes) -> Cleaned:
    """The rest, if there is any.

    Raises:
        RecipeError: nothing is left.
    """
    if bad.all():
        raise RecipeError(f"Cleaning would drop every sample of {data.name} for missing values; allow `most` more, or leave it out.")
    return Cleaned(data.take(np.flatnonzero(~bad)), tuple(np.asarray(data.ids)[bad].tolist()))


def _blocks(data: Dataset) -> list[range]:
    return [range(start, min(start + BLOCK, len(data))) for start in range(0, len(data), BLOCK)]


def _median(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The lower median of each column of counts by level."""
    reached = counts.cumsum(0) * 2 >= counts.sum(0)
    found: npt.NDArray[np.int64] = reached.argmax(0)
    return found


def from_neighbours(image: Pixels, holes: Holes) -> Pixels:
    """An image whose holes are filled from their edges inwards, each pixel with the mean of its present neighbours, of eight.

    Args:
        image: (height, width, channel).
        holes: (height, width).
    """
    filled, missing = image.astype(np.float64), holes.copy()
    while missing.any() and not missing.all():
        present = np.pad(~missing, 1)
        known = np.pad(np.where(missing[..., None], 0, filled), ((1, 1), (1, 1), (0, 0)))
        windows = [(slice(row, row + holes.shape[0]), slice(column, column + holes.shape[1])) for row in range(3) for column in range(3)]
        count = np.sum([present[window] for window in windows], axis=0)
        total = np.sum([known[window] for window in windows], axis=0)
        reached = missing & (count > 0)
        filled[reached] = total[reached] / count[reached][:, None]
        missing &= ~reached
    return np.round(filled).astype(np.uint8)
