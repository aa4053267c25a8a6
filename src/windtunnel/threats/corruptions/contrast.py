"""Contrast: every channel drawn towards its mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Pixels
from windtunnel.threats.corruptions.corruption import Corruption, Scale, quantise


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Contrast(Corruption):
    """Lower contrast.

    Args:
        severities: from 1 to 5.
        scale: whose constants are used; "auto" goes by the shorter side of the images.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261; constants are the share of the contrast that is left.
    """

    use: ClassVar[str] = "contrast"
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = {
        "imagenet": (0.4, 0.3, 0.2, 0.1, 0.05),
        "cifar": (0.75, 0.5, 0.4, 0.3, 0.15),
    }

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Paler copies."""
        share = self.constant(severity, *pixels.shape[1:3])
        # A sum of 8-bit values is exact in float64, so the mean cannot depend on how many images are summed at once.
        means = pixels.sum(axis=(1, 2), keepdims=True, dtype=np.float64) / (255.0 * pixels.shape[1] * pixels.shape[2])
        paler = np.empty_like(pixels)
        for row in range(len(pixels)):
            for channel in range(pixels.shape[3]):
                mean = means[row, 0, 0, channel]
                table = quantise((np.arange(256) / 255 - mean) * share + mean)
                paler[row, ..., channel] = table[pixels[row, ..., channel]]
        return paler
