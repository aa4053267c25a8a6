"""What happens at the camera: shake, a dirty lens, something in the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Pixels
from windtunnel.threats.corruptions.corruption import Corruption, Scale, quantise


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PathMotion(Corruption):
    """Camera shake: the mean of copies along a smooth random path.

    Args:
        severities: from 1 to 5.
        scale: has no part here; the constants hold for any size.
    Source:
        Ours; constants are the extent of the path, as a share of the shorter side; the path sums three random waves.
    """

    use: ClassVar[str] = "path-motion"
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "opencv-python-headless")
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = dict.fromkeys(("imagenet", "cifar"), (0.02, 0.04, 0.07, 0.1, 0.15))

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Shaken copies."""
        import cv2

        height, width = pixels.shape[1:3]
        extent = self.constant(severity, height, width) * min(height, width)
        reach = int(np.ceil(extent / 2)) + 1
        shaken = np.empty_like(pixels)
        for row, draw in enumerate(draws):
            kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
            for x, y in extent * _path(draw):
                left, top = int(np.floor(x)), int(np.floor(y))
                right, below = x - left, y - top
                weights = np.outer([1 - below, below], [1 - right, right])
                kernel[reach + top : reach + top + 2, reach + left : reach + left + 2] += weights[: reach + 1 - top, : reach + 1 - left]
            found = cv2.filter2D(pixels[row].astype(np.float32) / np.float32(255), -1, kernel / kernel.sum(), borderType=cv2.BORDER_REFLECT_101)
            shaken[row] = quantise(found.reshape(pixels[row].shape))
        return shaken


def _path(draw: np.random.Generator) -> npt.NDArray[np.float64]:
    """64 places on a smooth path that fits into a square of side 1 around 0, (64, 2)."""
    time = np.linspace(0, 1, 64)[:, None]
    phases, sizes = draw.random((3, 2)), draw.standard_normal((3, 2))
    path = np.zeros((64, 2))
    for wave, (size, phase) in enumerate(zip(sizes, phases, strict=True), start=1):
        path += size / wave * np.sin(np.pi * wave * time + 2 * np.pi * phase)
    path -= (path.max(axis=0) + path.min(axis=0)) / 2
    extent: float = (path.max(axis=0) - path.min(axis=0)).max()
    return path / extent


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LensDirt(Corruption):
    """Smudges out of focus that veil what is behind them with grey.

    Args:
        severities: from 1 to 5.
        scale: has no part here; the constants hold for any size.
    Source:
        Ours; constants are the number of smudges and how much the densest point hides; a smudge has a radius of 4 to 16 % of the shorter side.
    """

    use: ClassVar[str] = "lens-dirt"
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "opencv-python-headless")
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = dict.fromkeys(("imagenet", "cifar"), ((3, 0.35), (5, 0.45), (8, 0.55), (12, 0.65), (16, 0.8)))

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Smudged copies."""
        height, width = pixels.shape[1:3]
        count, density = self.constant(severity, height, width)
        down, across = np.mgrid[:height, :width].astype(np.float32)
        smudged = np.empty_like(pixels)
        for row, draw in enumerate(draws):
            clear = np.ones((height, width), np.float32)
            for x, y, size in draw.random((16, 3))[:count]:
                radius = (0.04 + 0.12 * size) * min(height, width)
                distance = np.hypot(across - x * (width - 1), down - y * (height - 1)) / max(radius, 0.5)
                clear *= 1 - np.float32(density) / (1 + np.exp(np.float32(6) * (distance - 1)))
            veil = np.float32(0.35 + 0.2 * draw.random())
            image = pixels[row].astype(np.float32) / np.float32(255)
            smudged[row] = quantise(image * clear[..., None] + veil * (1 - clear[..., None]))
        return smudged


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Occlusion(Corruption):
    """Rectangles of one colour in front of the scene.

    Args:
        severities: from 1 to 5.
        scale: has no part here; the constants hold for any size.
    Source:
        Ours; constants are the number of rectangles, and the root of the share of the image that each covers.
    """

    use: ClassVar[str] = "occlusion"
    libraries: ClassVar[tuple[str, ...]] = ("numpy",)
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = dict.fromkeys(("imagenet", "cifar"), ((1, 0.15), (1, 0.25), (2, 0.25), (3, 0.28), (4, 0.32)))

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Covered copies."""
        height, width = pixels.shape[1:3]
        count, share = self.constant(severity, height, width)
        covered = pixels.copy()
        for row, draw in enumerate(draws):
            numbers, colours = draw.random((4, 3)), draw.integers(0, 256, (4, 3), dtype=np.uint8)
            for (x, y, shape), colour in zip(numbers[:count], colours, strict=False):
                ratio = 2 ** (shape - 0.5)
                tall, wide = (max(1, round(side * share * part)) for side, part in ((height, ratio), (width, 1 / ratio)))
                top, left = int(y * max(height - tall + 1, 1)), int(x * max(width - wide + 1, 1))
                covered[row, top : top + tall, left : left + wide] = colour[: pixels.shape[3]]
        return covered
