"""Snow: flakes in the wind, and a paler scene."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Pixels
from windtunnel.threats.corruptions.colour import luminance
from windtunnel.threats.corruptions.corruption import Corruption, Scale, quantise
from windtunnel.threats.corruptions.motion import smear
from windtunnel.threats.corruptions.zoom import enlarged


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Snow(Corruption):
    """Flakes from thresholded noise, smeared by the wind, over a whitened image.

    Args:
        severities: from 1 to 5.
        scale: whose constants are used; "auto" goes by the shorter side of the images.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261; constants are the noise's mean and standard deviation, the flakes' size, the
        threshold, radius and deviation of the smear, and the share of the image that is not whitened.
    """

    use: ClassVar[str] = "snow"
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "opencv-python-headless")
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = {
        "imagenet": (
            (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
            (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
            (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
            (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
            (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
        ),
        "cifar": (
            (0.1, 0.2, 1, 0.6, 8, 3, 0.95),
            (0.1, 0.2, 1, 0.5, 10, 4, 0.9),
            (0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
            (0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
            (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
        ),
    }

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Snowy copies."""
        height, width = pixels.shape[1:3]
        mean, deviation, size, least, radius, spread, share = self.constant(severity, height, width)
        snowy = np.empty_like(pixels)
        for row, draw in enumerate(draws):
            image = pixels[row].astype(np.float32) / np.float32(255)
            layer = enlarged((mean + deviation * draw.standard_normal((height, width, 1))).astype(np.float32), size)[..., 0]
            layer = np.where(layer < least, np.float32(0), layer.clip(0, 1))
            layer = smear(layer, radius, spread, draw.uniform(-135, -45))
            flakes = (np.round(layer * 255) / 255).astype(np.float32)[..., None]
            paler = share * image + (1 - share) * np.maximum(image, luminance(image) * 1.5 + 0.5)
            snowy[row] = quantise(paler + flakes + flakes[::-1, ::-1])
        return snowy
