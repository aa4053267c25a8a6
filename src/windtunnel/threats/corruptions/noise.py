"""Gaussian noise: as a sensor's in the dark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Pixels
from windtunnel.threats.corruptions.corruption import Corruption, Scale, quantise


@dataclass(frozen=True, kw_only=True, config=STRICT)
class GaussianNoise(Corruption):
    """Independent normal noise on every value.

    Args:
        severities: from 1 to 5.
        scale: whose constants are used; "auto" goes by the shorter side of the images.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261; constants are standard deviations in units of the range.
    """

    use: ClassVar[str] = "gaussian-noise"
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = {
        "imagenet": (0.08, 0.12, 0.18, 0.26, 0.38),
        "cifar": (0.04, 0.06, 0.08, 0.09, 0.10),
    }

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Noisy copies."""
        deviation = self.constant(severity, *pixels.shape[1:3])
        noisy = np.empty_like(pixels)
        for row, draw in enumerate(draws):
            noisy[row] = quantise(pixels[row] / 255 + deviation * draw.standard_normal(pixels.shape[1:]))
        return noisy
