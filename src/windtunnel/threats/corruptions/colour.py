"""Brightness and saturation, in the space of hue, saturation and value."""

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
class Brightness(Corruption):
    """A larger value of every pixel, its hue and saturation kept.

    Args:
        severities: from 1 to 5.
        scale: whose constants are used; "auto" goes by the shorter side of the images.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261; constants are added to the value, in units of the range.
    """

    use: ClassVar[str] = "brightness"
    libraries: ClassVar[tuple[str, ...]] = ("numpy",)
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = {
        "imagenet": (0.1, 0.2, 0.3, 0.4, 0.5),
        "cifar": (0.05, 0.1, 0.15, 0.2, 0.3),
    }

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Brighter copies."""
        more = np.float32(self.constant(severity, *pixels.shape[1:3]))
        values = np.arange(256, dtype=np.float32) / np.float32(255)
        factors = np.minimum(values + more, np.float32(1)) / np.maximum(np.arange(256, dtype=np.float32), 1)
        black = quantise(np.array([more]))
        brighter = np.empty_like(pixels)
        for row, pixel in enumerate(pixels):
            value = extreme(pixel, np.maximum)
            # With hue and saturation kept, all channels grow by one factor.
            found = quantise(pixel * factors[value][..., None])
            found[value == 0] = black
            brighter[row] = found
        return brighter


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Saturate(Corruption):
    """Other saturation, hue and value kept: paler at the first two severities, gaudier at the others.

    Args:
        severities: from 1 to 5.
        scale: whose constants are used; "auto" goes by the shorter side of the images.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261; constants are a factor of the saturation and what is added to it. Grey pixels have
        the hue of red; images with one channel stay as they are.
    """

    use: ClassVar[str] = "saturate"
    libraries: ClassVar[tuple[str, ...]] = ("numpy",)
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = {
        "imagenet": ((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2)),
        "cifar": ((0.3, 0), (0.1, 0), (1.5, 0), (2, 0.1), (2.5, 0.2)),
    }

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Paler or gaudier copies."""
        factor, more = self.constant(severity, *pixels.shape[1:3])
        if pixels.shape[3] == 1:
            return pixels.copy()
        other = np.empty_like(pixels)
        for row, pixel in enumerate(pixels):
            image = pixel.astype(np.float32) / np.float32(255)
            value = extreme(image, np.maximum)[..., None]
            spread = value - extreme(image, np.minimum)[..., None]
            saturation = spread / np.where(value > 0, value, np.float32(1))
            wanted = (saturation * factor + more).clip(0, 1)
            below = (value - image) * (wanted / np.where(spread > 0, saturation, np.float32(1)))
            red = value * wanted * np.array([0, 1, 1], np.float32)
            other[row] = quantise(value - np.where(spread > 0, below, red))
        return other


def extreme(image: npt.NDArray[Any], which: np.ufunc) -> npt.NDArray[Any]:
    """The largest or smallest channel of each pixel, (height, width), plane by plane: reducing the last axis takes five times as long."""
    found: npt.NDArray[Any] = image[..., 0]
    for channel in range(1, image.shape[2]):
        found = which(found, image[..., channel])
    return found


def luminance(image: Floats) -> Floats:
    """Brightness of an image (height, width, channel) to the eye, (height, width, 1); weights of ITU-R BT.601."""
    if image.shape[2] == 1:
        return image
    found: Floats = image @ np.array([[0.299], [0.587], [0.114]], np.float32)
    return found
