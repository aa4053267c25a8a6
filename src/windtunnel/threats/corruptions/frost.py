"""Frost: ice on the window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Pixels
from windtunnel.threats.corruptions.corruption import LARGE, Corruption, Scale, quantise


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Frost(Corruption):
    """A picture of ice laid over a darkened image.

    Args:
        severities: from 1 to 5.
        scale: whose constants are used; "auto" goes by the shorter side of the images.
        texture: "procedural", ice drawn by windtunnel; "published", the photographs of the original, as the package imagecorruptions
            brings them.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261; constants are the shares of image and ice.
    Deviation:
        The original lays photographs over the images. The procedural texture has their mean and contrast, not their look, and numbers
        with the two textures are not comparable. For small images, the photographs are shrunk to a fifth as for CIFAR-10-C.
    """

    use: ClassVar[str] = "frost"
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "opencv-python-headless")
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = {
        "imagenet": ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75)),
        "cifar": ((1, 0.2), (1, 0.3), (0.9, 0.4), (0.85, 0.4), (0.75, 0.45)),
    }

    texture: Literal["procedural", "published"] = "procedural"

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Frosted copies."""
        from windtunnel.threats.corruptions.colour import luminance
        from windtunnel.threats.corruptions.ice import Photographs, procedural

        height, width, channels = pixels.shape[1:]
        share, ice = self.constant(severity, height, width)
        pictures = Photographs(small=min(height, width) < LARGE) if self.texture == "published" else None
        frosted = np.empty_like(pixels)
        for row, draw in enumerate(draws):
            layer = procedural(height, width, draw) if pictures is None else pictures.crop(height, width, draw)
            layer /= np.float32(255)
            frosted[row] = quantise(share * (pixels[row].astype(np.float32) / np.float32(255)) + ice * (luminance(layer) if channels == 1 else layer))
        return frosted
