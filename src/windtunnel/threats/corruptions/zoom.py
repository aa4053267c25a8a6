"""Zoom blur: a lens that zooms while the shutter is open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Pixels
from windtunnel.threats.corruptions.corruption import Corruption, Scale, quantise

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ZoomBlur(Corruption):
    """The mean of the image and of enlargements of its middle.

    Args:
        severities: from 1 to 5.
        scale: whose constants are used; "auto" goes by the shorter side of the images.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261; constants are the largest enlargement (not reached) and its step.
    """

    use: ClassVar[str] = "zoom-blur"
    libraries: ClassVar[tuple[str, ...]] = ("numpy",)
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = {
        "imagenet": ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03)),
        "cifar": ((1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01)),
    }

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Blurred copies."""
        largest, step = self.constant(severity, *pixels.shape[1:3])
        factors = np.arange(1, largest, step)
        blurred = np.empty_like(pixels)
        for row, pixel in enumerate(pixels):
            image = pixel.astype(np.float32) / np.float32(255)
            total = image.copy()
            for factor in factors:
                total += enlarged(image, float(factor))
            blurred[row] = quantise(total / np.float32(len(factors) + 1))
        return blurred


def enlarged(image: Floats, factor: float) -> Floats:
    """The middle of an image (height, width, channel) enlarged to at least its size, linearly, and cut to it."""
    height, width = image.shape[:2]
    above, share_above = _places(height, factor)
    left, share_left = _places(width, factor)
    rows = image[above] * (1 - share_above)[:, None, None] + image[np.minimum(above + 1, height - 1)] * share_above[:, None, None]
    found: Floats = rows[:, left] * (1 - share_left)[:, None] + rows[:, np.minimum(left + 1, width - 1)] * share_left[:, None]
    return found


def _places(size: int, factor: float) -> tuple[npt.NDArray[np.int64], Floats]:
    """For each place of the enlargement the place in the image before it, and how far it lies towards the next.

    As published: the middle of ceil(size / factor) values, whose ends stay ends.
    """
    part = int(np.ceil(size / factor))
    whole = round(part * factor)
    at = (size - part) // 2 + np.arange(size) * ((part - 1) / max(whole - 1, 1))
    before = np.floor(at).astype(np.int64)
    return before, (at - before).astype(np.float32)
