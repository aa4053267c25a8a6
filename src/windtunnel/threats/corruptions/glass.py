"""Glass blur: seen through frosted glass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Pixels
from windtunnel.threats.corruptions.blur import smooth
from windtunnel.threats.corruptions.corruption import Corruption, Scale, quantise


@dataclass(frozen=True, kw_only=True, config=STRICT)
class GlassBlur(Corruption):
    """Each pixel becomes one of its neighbours by chance, between two normal filters.

    Args:
        severities: from 1 to 5.
        scale: whose constants are used; "auto" goes by the shorter side of the images.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261; constants are the filters' standard deviation, how far pixels move, and how
        often. The published code means to swap two pixels, but copies one over the other, and the published sets were made by it; so
        it is here.
    """

    use: ClassVar[str] = "glass-blur"
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "opencv-python-headless")
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = {
        "imagenet": ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)),
        "cifar": ((0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)),
    }

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Scattered copies."""
        height, width = pixels.shape[1:3]
        deviation, reach, rounds = self.constant(severity, height, width)
        scattered = np.empty_like(pixels)
        for row, draw in enumerate(draws):
            image = quantise(smooth(pixels[row].astype(np.float32) / np.float32(255), deviation))
            moved = image.reshape(height * width, -1)[_shuffle(height, width, reach, rounds, draw)].reshape(image.shape)
            scattered[row] = quantise(smooth(moved.astype(np.float32) / np.float32(255), deviation))
        return scattered


def _shuffle(height: int, width: int, reach: int, rounds: int, draw: np.random.Generator) -> list[int]:
    """Where each pixel comes from, when all take a neighbour's place one after the other, from the lower right to the upper left.

    The draws are those of the whole image for the largest reach and most rounds, so that each severity sees the same.
    """
    places = list(range(height * width))
    numbers = draw.random((3, 2, height, width), dtype=np.float32)[:rounds]
    moves = (numbers * 2 * reach).astype(np.int64) - reach
    targets = (np.arange(height)[:, None] + moves[:, 0]) * width + np.arange(width) + moves[:, 1]
    rows, columns = range(height - reach, reach, -1), range(width - reach, reach, -1)
    for target in targets.tolist():
        for y in rows:
            line, start = target[y], y * width
            for x in columns:
                places[start + x] = places[line[x]]
    return places
