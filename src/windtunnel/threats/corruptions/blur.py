"""Defocus and Gaussian blur: a lens that is not in focus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Pixels
from windtunnel.threats.corruptions.corruption import Corruption, Scale, quantise

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DefocusBlur(Corruption):
    """Convolution with a disk whose rim is smoothed.

    Args:
        severities: from 1 to 5.
        scale: whose constants are used; "auto" goes by the shorter side of the images.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261; constants are the disk's radius in pixels, and the deviation of the
        normal filter on its rim. Borders are mirrored without repeating the outermost pixel.
    """

    use: ClassVar[str] = "defocus-blur"
    version: ClassVar[int] = 2
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "opencv-python-headless")
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = {
        "imagenet": ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)),
        "cifar": ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)),
    }

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Blurred copies."""
        import cv2

        kernel = disk(*self.constant(severity, *pixels.shape[1:3])).astype(np.float32)
        blurred = np.empty_like(pixels)
        for row, image in enumerate(pixels):
            found = cv2.filter2D(image.astype(np.float32) / np.float32(255), -1, kernel, borderType=cv2.BORDER_REFLECT_101)
            blurred[row] = quantise(found.reshape(image.shape))
        return blurred


@dataclass(frozen=True, kw_only=True, config=STRICT)
class GaussianBlur(Corruption):
    """Convolution with a normal filter.

    Args:
        severities: from 1 to 5.
        scale: whose constants are used; "auto" goes by the shorter side of the images.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261; constants are its standard deviation in pixels. It ends at four of them, and the
        outermost pixels are repeated beyond the border.
    """

    use: ClassVar[str] = "gaussian-blur"
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "opencv-python-headless")
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = {
        "imagenet": (1, 2, 3, 4, 6),
        "cifar": (0.4, 0.6, 0.7, 0.8, 1),
    }

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Blurred copies."""
        deviation = self.constant(severity, *pixels.shape[1:3])
        return np.stack([quantise(smooth(image.astype(np.float32) / np.float32(255), deviation)) for image in pixels])


def smooth(image: npt.NDArray[np.float32], deviation: float) -> npt.NDArray[np.float32]:
    """An image (height, width[, channel]) convolved with a normal filter of four standard deviations, edges repeated."""
    import cv2

    side = 2 * int(4 * deviation + 0.5) + 1
    found = cv2.GaussianBlur(image, (side, side), sigmaX=deviation, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32).reshape(image.shape)


def disk(radius: float, deviation: float) -> Floats:
    """A disk of ones, normalised, then smoothed by a small normal filter; cut to what is not zero.

    As published: the disk is drawn on 17 x 17 pixels (on its own diameter above radius 8), the filter is 3 pixels wide (5 above
    radius 8), and what it would carry over the edge is mirrored back.
    """
    half, reach = (8, 1) if radius <= 8 else (int(radius), 2)
    places = np.arange(-half, half + 1)
    inside = (places[:, None] ** 2 + places[None, :] ** 2 <= radius**2).astype(np.float64)
    taps = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * deviation**2))
    taps /= taps.sum()
    smooth = inside / inside.sum()
    for axis in (0, 1):
        padded = np.pad(smooth, [(reach, reach) if axis == other else (0, 0) for other in (0, 1)], mode="reflect")
        smooth = np.apply_along_axis(np.convolve, axis, padded, taps, mode="valid")
    used = np.flatnonzero(smooth.any(axis=0))
    kernel: Floats = smooth[used[0] : used[-1] + 1, used[0] : used[-1] + 1]
    return kernel
