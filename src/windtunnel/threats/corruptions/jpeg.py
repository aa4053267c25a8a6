"""JPEG: lossy compression."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any, ClassVar

import numpy as np
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Pixels
from windtunnel.threats.corruptions.corruption import Corruption, Scale
from windtunnel.threats.corruptions.pictures import array, picture


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Jpeg(Corruption):
    """JPEG compression and decompression.

    Args:
        severities: from 1 to 5.
        scale: whose constants are used; "auto" goes by the shorter side of the images.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261; constants are JPEG qualities.
    """

    use: ClassVar[str] = "jpeg"
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "pillow")
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = {
        "imagenet": (25, 18, 15, 10, 7),
        "cifar": (80, 65, 58, 50, 40),
    }

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Copies that went through a JPEG file."""
        from PIL import Image

        quality = self.constant(severity, *pixels.shape[1:3])
        lossy = np.empty_like(pixels)
        for row, image in enumerate(pixels):
            file = BytesIO()
            picture(image).save(file, "JPEG", quality=quality)
            with Image.open(file, formats=["JPEG"]) as opened:
                lossy[row] = array(opened)
        return lossy
