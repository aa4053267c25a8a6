"""Rotation and translation: a camera that is not held straight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Pixels
from windtunnel.threats.corruptions.corruption import Corruption, Scale


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Rotation(Corruption):
    """A turn about the middle, to one side or the other; borders mirrored.

    Args:
        severities: from 1 to 5.
        scale: has no part here; the constants hold for any size.
    Source:
        Ours; constants are degrees.
    """

    use: ClassVar[str] = "rotation"
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "opencv-python-headless")
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = dict.fromkeys(("imagenet", "cifar"), (4, 8, 15, 25, 40))

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Turned copies."""
        import cv2

        height, width = pixels.shape[1:3]
        degrees = self.constant(severity, height, width)
        turned = np.empty_like(pixels)
        for row, draw in enumerate(draws):
            side = 1 if draw.random() < 0.5 else -1
            matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), side * degrees, 1.0)
            found = cv2.warpAffine(pixels[row], matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
            turned[row] = found.reshape(pixels[row].shape)
        return turned


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Translation(Corruption):
    """A shift in a random direction; borders mirrored.

    Args:
        severities: from 1 to 5.
        scale: has no part here; the constants hold for any size.
    Source:
        Ours; constants are the length of the shift, as a share of the shorter side.
    """

    use: ClassVar[str] = "translation"
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "opencv-python-headless")
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = dict.fromkeys(("imagenet", "cifar"), (0.03, 0.06, 0.1, 0.15, 0.22))

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Shifted copies."""
        import cv2

        height, width = pixels.shape[1:3]
        length = self.constant(severity, height, width) * min(height, width)
        shifted = np.empty_like(pixels)
        for row, draw in enumerate(draws):
            angle = 2 * np.pi * draw.random()
            matrix = np.array([[1, 0, length * np.cos(angle)], [0, 1, length * np.sin(angle)]])
            found = cv2.warpAffine(pixels[row], matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
            shifted[row] = found.reshape(pixels[row].shape)
        return shifted
