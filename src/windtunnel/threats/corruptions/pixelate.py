"""Pixelate: a small copy, blown up again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Pixels
from windtunnel.threats.corruptions.corruption import Corruption, Scale
from windtunnel.threats.corruptions.pictures import array, picture


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Pixelate(Corruption):
    """Lower resolution, by box filters both ways.

    Args:
        severities: from 1 to 5.
        scale: whose constants are used; "auto" goes by the shorter side of the images.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261; constants are the share of the side length that is left.
    """

    use: ClassVar[str] = "pixelate"
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "pillow")
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = {
        "imagenet": (0.6, 0.5, 0.4, 0.3, 0.25),
        "cifar": (0.95, 0.9, 0.85, 0.75, 0.65),
    }

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Coarser copies."""
        from PIL.Image import Resampling

        height, width = pixels.shape[1:3]
        share = self.constant(severity, height, width)
        small = (max(1, int(width * share)), max(1, int(height * share)))
        coarse = np.empty_like(pixels)
        for row, image in enumerate(pixels):
            coarse[row] = array(picture(image).resize(small, Resampling.BOX).resize((width, height), Resampling.BOX))
        return coarse
