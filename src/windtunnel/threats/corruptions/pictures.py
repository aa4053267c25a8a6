"""Between arrays and Pillow's images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from windtunnel.core.dataset import Pixels

if TYPE_CHECKING:
    from PIL import Image


def picture(pixels: Pixels) -> Image.Image:
    """One uint8 image (height, width, channel) for Pillow, grey or RGB."""
    from PIL import Image

    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def array(image: Image.Image) -> Pixels:
    """A Pillow image as uint8 (height, width, channel)."""
    pixels = np.asarray(image)
    return pixels[..., None] if pixels.ndim == 2 else pixels
