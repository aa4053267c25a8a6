"""Bringing images to one resolution: exact enlarging and padding of arrays, and cropping of pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from windtunnel.core.dataset import Pixels
from windtunnel.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

Channels = Literal[1, 3]


def enlarge(pixels: Pixels, size: int) -> Pixels:
    """Bilinear interpolation to `size` x `size`, in whole numbers, so that every machine gives the same bytes.

    Pixel centres lie at half-integers and the border is repeated ("align_corners" off).

    Args:
        pixels: square images, no larger than `size`.
        size: side of the result.
    Shapes:
        pixels (n, side, side, channel), uint8; returns (n, size, size, channel), uint8, rounded half up.
    """
    weights = _bilinear_weights(pixels.shape[1], size)
    rows = np.einsum("ts,nsvc->ntvc", weights, pixels.astype(np.int64))
    both = np.einsum("uv,ntvc->ntuc", weights, rows)
    unit = (2 * size) ** 2
    enlarged: Pixels = ((both + unit // 2) // unit).astype(np.uint8)
    return enlarged


def _bilinear_weights(side: int, size: int) -> npt.NDArray[np.int64]:
    """Weights of each source pixel in each target pixel, (size, side); every row sums to 2 * size."""
    weights = np.zeros((size, side), dtype=np.int64)
    for target in range(size):
        # The target's centre in the source, counted in units of 1 / (2 * size) pixel from the first centre.
        position = min(max((2 * target + 1) * side - size, 0), (side - 1) * 2 * size)
        left, beyond = divmod(position, 2 * size)
        weights[target, left] += 2 * size - beyond
        weights[target, min(left + 1, side - 1)] += beyond
    return weights


def pad(pixels: Pixels, size: int) -> Pixels:
    """Zeros around each image up to `size` x `size`, as much on either side.

    Shapes:
        pixels (n, height, width, channel), uint8, no larger than `size`; returns (n, size, size, channel).
    """
    height, width = size - pixels.shape[1], size - pixels.shape[2]
    around = ((0, 0), (height // 2, height - height // 2), (width // 2, width - width // 2), (0, 0))
    return np.pad(pixels, around)


def to_array(image: Image, size: int | None, channels: Channels, resize: int | None = None) -> Pixels:
    """A decoded picture as uint8 (height, width, channel): upright as its EXIF data say, scaled and cropped to a square.

    Args:
        image: any mode with 8 or 16 bits a channel; an alpha channel is dropped, as the field's loaders do.
        size: side of the square: the shorter side is scaled to it (bicubic with antialiasing), the longer one cropped to
            its centre. None keeps the picture's own size.
        channels: 1 for grey, 3 for RGB.
        resize: length that the shorter side is scaled to instead; at least `size`.
    Raises:
        DataError: floating-point pixels, whose range nobody knows.
    """
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(image)
    coloured = _convert(upright, "L" if channels == 1 else "RGB")
    if size is not None:
        coloured = _square(coloured, size, max(size, resize or size))
    pixels = np.asarray(coloured, dtype=np.uint8)
    return pixels[:, :, None] if channels == 1 else pixels


def _convert(image: Image, mode: str) -> Image:
    from PIL import Image as images

    if image.mode == "F":
        raise DataError("the picture has floating-point pixels of unknown range; store it with 8 or 16 bits a channel")
    if image.mode.startswith("I"):
        # PIL's own conversion clips 16-bit grey at 255 instead of scaling it.
        values = np.asarray(image, dtype=np.int64)
        image = images.fromarray(((values.clip(0, 65535) + 128) // 257).astype(np.uint8))
    if image.mode == "P":
        # Straight to RGB, PIL warns about transparent palettes.
        image = image.convert("RGBA")
    return image if image.mode == mode else image.convert(mode)


def _square(image: Image, size: int, shorter: int) -> Image:
    from PIL import Image as images

    scale = shorter / min(image.size)
    width, height = (max(shorter, round(side * scale)) for side in image.size)
    scaled = image if image.size == (width, height) else image.resize((width, height), images.Resampling.BICUBIC)
    left, top = (width - size) // 2, (height - size) // 2
    return scaled.crop((left, top, left + size, top + size))
