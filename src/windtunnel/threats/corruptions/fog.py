"""Fog: a plasma fractal laid over the image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Pixels
from windtunnel.threats.corruptions.corruption import Corruption, Scale, quantise

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Fog(Corruption):
    """Brightness from a random height map, then contrast lowered so that the brightest value stays.

    Args:
        severities: from 1 to 5.
        scale: whose constants are used; "auto" goes by the shorter side of the images.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261; constants are the fog's thickness, and the factor by which the map's
        roughness falls from one level of detail to the next. The map is the upper left part of a square whose side is the next
        power of two.
    """

    use: ClassVar[str] = "fog"
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = {
        "imagenet": ((1.5, 2), (2.0, 2), (2.5, 1.7), (2.5, 1.5), (3.0, 1.4)),
        "cifar": ((0.2, 3), (0.5, 3), (0.75, 2.5), (1.0, 2), (1.5, 1.75)),
    }

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Foggy copies."""
        height, width = pixels.shape[1:3]
        thickness, decay = self.constant(severity, height, width)
        foggy = np.empty_like(pixels)
        for row, draw in enumerate(draws):
            image = pixels[row] / 255
            brightest = image.max()
            veil = plasma(max(height, width), decay, draw)[:height, :width, None]
            foggy[row] = quantise((image + thickness * veil) * (brightest / (brightest + thickness)))
        return foggy


def plasma(side: int, decay: float, draw: np.random.Generator) -> Floats:
    """A height map in [0, 1] by the diamond-square algorithm on a torus.

    Every new point is the mean of its four neighbours plus uniform noise, whose amplitude falls by `decay` squared from one level
    to the next: the published generator scales both the noise and its range.

    Args:
        side: at least this many points a side; the next power of two, and at least 2.
        decay: above 1; the larger, the smoother.
        draw: asked for the same numbers at any `decay`.
    Source:
        Fournier, Fussell and Carpenter 1982, Communications of the ACM 25:371.
    """
    size = max(2, 1 << (side - 1).bit_length())
    heights = np.zeros((size, size))
    step, amplitude = size, 1.0
    while step >= 2:
        half, shape = step // 2, (size // step, size // step)
        corners = heights[::step, ::step]
        below = np.roll(corners, -1, axis=0)
        right = np.roll(corners, -1, axis=1)
        centres = (corners + below + right + np.roll(below, -1, axis=1)) / 4 + amplitude * draw.uniform(-1, 1, shape)
        across = (corners + right + centres + np.roll(centres, 1, axis=0)) / 4 + amplitude * draw.uniform(-1, 1, shape)
        down = (corners + below + centres + np.roll(centres, 1, axis=1)) / 4 + amplitude * draw.uniform(-1, 1, shape)
        heights[half::step, half::step] = centres
        heights[::step, half::step] = across
        heights[half::step, ::step] = down
        step, amplitude = half, amplitude / decay**2
    heights -= heights.min()
    normalised: Floats = heights / heights.max()
    return normalised
