"""Elastic transformation: the image as a rubber sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Pixels
from windtunnel.threats.corruptions.corruption import Corruption, Scale, quantise

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ElasticTransform(Corruption):
    """A random affine map, then smooth random shifts of every pixel.

    Args:
        severities: from 1 to 5.
        scale: whose constants are used; "auto" goes by the shorter side of the images.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261, after Simard et al. 2003; constants are the size of the shifts and the deviation of
        their smoothing, in pixels, and how far the corners of the affine map move.
    Deviation:
        Values between pixels are interpolated at 1/32 of a pixel; the smoothing is that of an infinite normal filter over the mirrored
        field, where the published one ends at three standard deviations. The package imagecorruptions has other constants.
    """

    use: ClassVar[str] = "elastic-transform"
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "opencv-python-headless", "scipy")
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = {
        "imagenet": ((488, 170.8, 24.4), (488, 19.52, 48.8), (12.2, 2.44, 4.88), (17.08, 2.44, 4.88), (29.28, 2.44, 4.88)),
        "cifar": ((0, 0, 2.56), (1.6, 6.4, 2.24), (2.56, 1.92, 1.92), (3.2, 1.28, 1.6), (3.2, 0.96, 0.96)),
    }

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Stretched copies."""
        import cv2

        height, width = pixels.shape[1:3]
        size, deviation, corners = self.constant(severity, height, width)
        across, down = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
        stretched = np.empty_like(pixels)
        for row, draw in enumerate(draws):
            image = pixels[row].astype(np.float32) / np.float32(255)
            matrix = _affine(height, width, corners * draw.uniform(-1, 1, (3, 2)))
            if matrix is not None:
                image = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101)
            shifts = draw.uniform(-1, 1, (2, height, width))
            right, below = (size * smoothed(field, deviation) for field in shifts)
            moved = cv2.remap(image, across + right, down + below, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
            stretched[row] = quantise(moved.reshape(pixels[row].shape))
        return stretched


def _affine(height: int, width: int, moves: npt.NDArray[np.float64]) -> npt.NDArray[np.float64] | None:
    """The map that moves three corners of a square in the middle; None where the image is too small for one."""
    import cv2

    middle, side = np.array([height // 2, width // 2], np.float32), min(height, width) // 3
    if side == 0:
        return None
    points = np.stack([middle + side, np.array([middle[0] + side, middle[1] - side]), middle - side]).astype(np.float32)
    return np.asarray(cv2.getAffineTransform(points, points + moves.astype(np.float32)), np.float64)


def smoothed(field: npt.NDArray[np.float64], deviation: float) -> Floats:
    """A field (height, width) convolved with a normal filter, mirrored at its borders; by the cosine transform."""
    from scipy.fft import dctn, idctn

    down, across = (np.exp(-((np.pi * np.arange(side) / side * deviation) ** 2) / 2) for side in field.shape)
    found: Floats = idctn(dctn(field) * down[:, None] * across[None, :]).astype(np.float32)
    return found
