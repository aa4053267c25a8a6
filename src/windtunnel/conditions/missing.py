"""Missing values: a part of every input is not there."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Final

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.condition import Condition, altered
from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Dataset, Pixels
from windtunnel.seeding import generator, generators

_WORD: Final = re.compile(r"\s*\S+")
"""A word, with the white space before it."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Missing(Condition):
    """Pixels of every image are set to one value; of every text, words are left out. The tests stay whole.

    Args:
        share: of the squares of each image, or of the words of each text, above 0 and below 1; rounded. One word of a text always stays.
        patch: side of the squares in pixels, on a grid from the upper left corner; 1 for single pixels. On images only.
        value: what is put in their place, from 0 (black) to 1 (white). On images only.
    Source:
        Rubin 1976, Biometrika 63:581: missing at random, whatever the values and labels are.
    """

    use: ClassVar[str] = "missing"

    share: Annotated[float, Field(gt=0, lt=1)] = 0.25
    patch: Annotated[int, Field(ge=1)] = 1
    value: Annotated[float, Field(ge=0, le=1)] = 0.0

    @property
    def title(self) -> str:
        """Share, and side of the squares where they are larger than a pixel."""
        return f"{self.use} {100 * self.share:g} %" + ("" if self.patch == 1 else f" in squares of {self.patch}")

    def change(self, data: Dataset, seed: int) -> Dataset:
        """Inputs with holes; see `Condition`."""
        words = generators(seed, self.use, data.ids)
        return altered(
            data,
            # A generator anew for each reading, so that every reading sees the same holes.
            lambda row, image: self._holes(image, generator(seed, self.use, data.ids[row])),
            lambda row, text: self._gaps(text, words[row]),
        )

    def _holes(self, image: Pixels, draw: np.random.Generator) -> Pixels:
        height, width = image.shape[:2]
        shape = -(-height // self.patch), -(-width // self.patch)
        squares = np.zeros(shape[0] * shape[1], dtype=bool)
        squares[draw.permutation(len(squares))[: round(self.share * len(squares))]] = True
        holes = squares.reshape(shape).repeat(self.patch, 0).repeat(self.patch, 1)[:height, :width]
        changed = image.copy()
        changed[holes] = round(255 * self.value)
        return changed

    def _gaps(self, text: str, draw: np.random.Generator) -> str:
        words = _WORD.findall(text)
        dropped = set(draw.permutation(len(words))[: min(round(self.share * len(words)), len(words) - 1)].tolist()) if words else set()
        return "".join(word for place, word in enumerate(words) if place not in dropped).strip() or text
