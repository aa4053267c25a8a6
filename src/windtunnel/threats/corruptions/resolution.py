"""Resolution loss: a small picture, smoothly enlarged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Pixels
from windtunnel.threats.corruptions.corruption import Corruption, Scale


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ResolutionLoss(Corruption):
    """A copy shrunk by area and enlarged by cubic splines, as viewers enlarge thumbnails.

    Args:
        severities: from 1 to 5.
        scale: has no part here; the constants hold for any size.
    Source:
        Ours; constants are the share of the side length that is left.
    """

    use: ClassVar[str] = "resolution-loss"
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "opencv-python-headless")
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = dict.fromkeys(("imagenet", "cifar"), (0.7, 0.5, 0.35, 0.25, 0.15))

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Coarser copies."""
        import cv2

        height, width = pixels.shape[1:3]
        share = self.constant(severity, height, width)
        small = (max(1, round(width * share)), max(1, round(height * share)))
        coarse = np.empty_like(pixels)
        for row, image in enumerate(pixels):
            found = cv2.resize(cv2.resize(image, small, interpolation=cv2.INTER_AREA), (width, height), interpolation=cv2.INTER_CUBIC)
            coarse[row] = found.reshape(image.shape)
        return coarse
