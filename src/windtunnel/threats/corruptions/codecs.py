"""Lossy codecs of today: WebP, AVIF and video."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any, ClassVar

import numpy as np
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Pixels
from windtunnel.errors import MissingPackageError
from windtunnel.threats.corruptions.corruption import Corruption, Scale
from windtunnel.threats.corruptions.pictures import array, picture


@dataclass(frozen=True, kw_only=True, config=STRICT)
class WebP(Corruption):
    """A trip through a WebP file.

    Args:
        severities: from 1 to 5.
        scale: has no part here; the constants hold for any size.
    Source:
        Ours; constants are qualities of the encoder.
    """

    use: ClassVar[str] = "webp"
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "pillow")
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = dict.fromkeys(("imagenet", "cifar"), (50, 25, 12, 5, 1))

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Copies that went through a file."""
        return _through_file(pixels, "WEBP", quality=self.constant(severity, *pixels.shape[1:3]), method=2)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Avif(Corruption):
    """A trip through an AVIF file.

    Args:
        severities: from 1 to 5.
        scale: has no part here; the constants hold for any size.
    Source:
        Ours; constants are qualities of the encoder.
    """

    use: ClassVar[str] = "avif"
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "pillow")
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = dict.fromkeys(("imagenet", "cifar"), (45, 30, 20, 12, 5))

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Copies that went through a file."""
        return _through_file(pixels, "AVIF", quality=self.constant(severity, *pixels.shape[1:3]), speed=8, max_threads=1)


def _through_file(pixels: Pixels, kind: str, **options: int) -> Pixels:
    from PIL import Image, features

    if not features.check(kind.lower()):
        raise MissingPackageError(f"The installed Pillow cannot write {kind}. Install a current one: pip install --upgrade pillow")
    lossy = np.empty_like(pixels)
    for row, image in enumerate(pixels):
        file = BytesIO()
        # Neither format knows grey images.
        picture(image).convert("RGB").save(file, kind, **options)
        with Image.open(file) as opened:
            lossy[row] = array(opened.convert("RGB" if image.shape[2] == 3 else "L"))
    return lossy


@dataclass(frozen=True, kw_only=True, config=STRICT)
class VideoCompression(Corruption):
    """The last of four frames of a still scene, compressed as MPEG-4 video.

    Args:
        severities: from 1 to 5.
        scale: has no part here; the constants hold for any size.
    Source:
        Ours; constants are quantiser scales of the encoder (31 is the coarsest).
        The scene drifts by a pixel a frame, so that the last frame is predicted from the ones before.
    """

    use: ClassVar[str] = "video-compression"
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "av")
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = dict.fromkeys(("imagenet", "cifar"), (6, 12, 18, 24, 31))

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Copies that went through a video."""
        coarse = self.constant(severity, *pixels.shape[1:3])
        return np.stack([_through_video(image, coarse) for image in pixels])


FRAMES = 4


def _through_video(image: Pixels, coarseness: int) -> Pixels:
    try:
        import av
    except ModuleNotFoundError as error:
        raise MissingPackageError("video-compression needs the package av. Run: pip install 'windtunnel[video]'") from error

    height, width, channels = image.shape
    # The encoder wants even sides of at least 16 pixels.
    tall, wide = (max(16, side + side % 2) for side in (height, width))
    padded = np.pad(image.repeat(3 // channels, axis=2), ((0, tall - height), (0, wide - width), (0, 0)), mode="edge")
    file = BytesIO()
    with av.open(file, "w", format="avi") as container:
        stream = container.add_stream("mpeg4", rate=25, options={"qmin": str(coarseness), "qmax": str(coarseness), "threads": "1"})
        stream.width, stream.height, stream.pix_fmt, stream.thread_count = wide, tall, "yuv420p", 1
        for shift in range(FRAMES - 1, -1, -1):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(np.roll(padded, shift, axis=1)), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with av.open(BytesIO(file.getvalue()), "r") as read:
        frames = list(read.decode(video=0))
    last: Pixels = np.asarray(frames[-1].to_ndarray(format="rgb24"), np.uint8)[:height, :width]
    return last if channels == 3 else last.mean(axis=2, keepdims=True).round().astype(np.uint8)
