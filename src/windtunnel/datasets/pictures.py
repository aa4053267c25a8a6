"""Pictures in files or in memory, decoded only when asked for."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from windtunnel.core.dataset import Indices, Pixels
from windtunnel.datasets.resize import Channels, to_array
from windtunnel.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
"""What is decoded. Others are refused: PIL would start Ghostscript for an EPS file, for one."""

T = TypeVar("T")
Drawer = Callable[[int], "Image"]
Shape = tuple[int, int, int]
"""Height, width, channel."""


@dataclass(frozen=True)
class Pictures:
    """An image store over anything that yields PIL pictures one by one.

    Args:
        draw: row number -> the decoded picture.
        where: row number -> where the picture is found, for messages.
        size: side of the square every picture is brought to; None if all have one size already.
        shape: what every image must come out as.
        resize: length of the shorter side before the square is cut out; its side if left out.
    """

    draw: Drawer
    where: Callable[[int], str]
    size: int | None
    shape: Shape
    resize: int | None = None

    def __getitem__(self, indices: Indices) -> Pixels:
        """The images at `indices`, uint8 (n, height, width, channel).

        Raises:
            DataError: a picture that cannot be decoded, or that has another size than the first one.
        """
        pixels = np.empty((len(indices), *self.shape), dtype=np.uint8)
        for place, row in enumerate(indices.tolist()):
            array = _decode(self.draw, self.where, row, lambda image: to_array(image, self.size, _channels(self.shape), self.resize))
            if array.shape != self.shape:
                sizes = [f"{width} x {height}" for height, width, _ in (array.shape, self.shape)]
                raise DataError(
                    f"{self.where(row)}: the image is {sizes[0]} and the first one {sizes[1]} (width x height); "
                    "give `size`, e.g. size: 224, to bring all to one."
                )
            pixels[place] = array
        return pixels


def of_files(paths: Sequence[Path], size: int, channels: Channels, *, resize: int | None = None, border: int = 0) -> Pictures:
    """A store that decodes each of `paths` when it is asked for.

    Args:
        resize: length of the shorter side before the square is cut out; its side if left out.
        border: pixels cut off on every side before anything else.
    """

    def draw(row: int) -> Image:
        image = open_picture(paths[row])
        return image.crop((border, border, image.width - border, image.height - border)) if border else image

    return Pictures(draw, lambda row: str(paths[row]), size, (size, size, channels), resize)


def like_first(draw: Drawer, where: Callable[[int], str], size: int | None, channels: Channels | None) -> Pictures:
    """A store whose images all look like the first one where `size` or `channels` is left open.

    Raises:
        DataError: the first picture cannot be decoded.
    """
    if channels is None:
        grey = _decode(draw, where, 0, lambda image: image.mode in ("1", "L", "LA") or image.mode.startswith("I"))
        channels = 1 if grey else 3
    settled = channels
    shape: Shape = _decode(draw, where, 0, lambda image: to_array(image, size, settled)).shape
    return Pictures(draw, where, size, shape)


def same_kind(store: Pictures, draw: Drawer, where: Callable[[int], str]) -> Pictures:
    """A store over other pictures, which must come out in the shape of `store`'s."""
    return replace(store, draw=draw, where=where)


def open_picture(source: Path | bytes) -> Image:
    """Decode a picture completely; PIL's own errors pass through."""
    from PIL import Image as images

    with images.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS) as image:
        image.load()
        return image


def _channels(shape: Shape) -> Channels:
    return 1 if shape[2] == 1 else 3


def _decode(draw: Drawer, where: Callable[[int], str], row: int, use: Callable[[Image], T]) -> T:
    """What `use` makes of the picture in `row`.

    Raises:
        DataError: missing, truncated, damaged, unreasonably large, or of no known format; the message names the file.
    """
    from PIL import Image as images
    from PIL import UnidentifiedImageError

    # Decoders meet damaged bytes with all of these, depending on where in the file the damage lies.
    damaged = (OSError, ValueError, SyntaxError, EOFError, IndexError, struct.error, zlib.error, images.DecompressionBombError)
    try:
        return use(draw(row))
    except DataError as error:
        raise DataError(f"{where(row)}: {error}") from error
    except FileNotFoundError as error:
        raise DataError(f"{where(row)}: the image is missing; restore it, or remove its entry.") from error
    except damaged as error:
        reason = "no image of a known format" if isinstance(error, UnidentifiedImageError) else str(error)
        raise DataError(
            f"{where(row)}: the image cannot be read ({reason}); expected one of {', '.join(FORMATS)}. Replace the file or remove it from the data."
        ) from error
