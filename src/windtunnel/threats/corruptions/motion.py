"""Motion blur: a camera that moves while the shutter is open."""

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
class MotionBlur(Corruption):
    """A smear in a random direction up to 45 degrees from the horizontal, ever fainter.

    Args:
        severities: from 1 to 5.
        scale: whose constants are used; "auto" goes by the shorter side of the images.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261, as the package imagecorruptions (Michaelis et al. 2019, arXiv 1907.07484) carries
        it out; constants are the radius in pixels, and the standard deviation of the smear.
    """

    use: ClassVar[str] = "motion-blur"
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "opencv-python-headless")
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = {
        "imagenet": ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
        "cifar": ((6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)),
    }

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Smeared copies."""
        radius, deviation = self.constant(severity, *pixels.shape[1:3])
        smeared = np.empty_like(pixels)
        for row, draw in enumerate(draws):
            smeared[row] = quantise(smear(pixels[row].astype(np.float32) / np.float32(255), radius, deviation, draw.uniform(-45, 45)))
        return smeared


def smear(image: Floats, radius: int, deviation: float, angle: float) -> Floats:
    """The sum of copies shifted further and further along a line, weighted by a half normal curve; edges repeated.

    Args:
        image: (height, width[, channel]).
        radius: half of the line's length, in pixels.
        deviation: of the curve, in pixels.
        angle: of the line, in degrees.
    """
    import cv2

    height, width = image.shape[:2]
    length = 2 * radius + 1
    weights = np.exp(-(np.arange(length) ** 2) / (2 * deviation**2))
    weights /= weights.sum()
    down, right = np.sin(np.deg2rad(angle)), np.cos(np.deg2rad(angle))
    shifts = [(-int(np.ceil(place * down - 0.5)), -int(np.ceil(place * right - 0.5))) for place in range(length)]
    padded = cv2.copyMakeBorder(image, length, length, length, length, cv2.BORDER_REPLICATE)
    total = np.zeros(image.shape, np.float32)
    for weight, (dy, dx) in zip(weights.astype(np.float32), shifts, strict=True):
        if abs(dy) >= height or abs(dx) >= width:
            break  # as published: motion beyond the image ends
        part = padded[length - dy : length - dy + height, length - dx : length - dx + width]
        total += weight * part.reshape(image.shape)
    return total
