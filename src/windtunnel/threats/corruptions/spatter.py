"""Spatter: drops of water or mud on the lens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Pixels
from windtunnel.threats.corruptions.blur import smooth
from windtunnel.threats.corruptions.colour import luminance
from windtunnel.threats.corruptions.corruption import Corruption, Scale, quantise

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Spatter(Corruption):
    """Thresholded smooth noise: bright drops with shaded rims, or mud that covers.

    Args:
        severities: from 1 to 5.
        scale: whose constants are used; "auto" goes by the shorter side of the images.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261; constants are the noise's mean and standard deviation, that of its smoothing, the
        threshold, strength (of mud: deviation of its rim), and whether it is mud.
    """

    use: ClassVar[str] = "spatter"
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "opencv-python-headless")
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = {
        "imagenet": (
            (0.65, 0.3, 4, 0.69, 0.6, 0),
            (0.65, 0.3, 3, 0.68, 0.6, 0),
            (0.65, 0.3, 2, 0.68, 0.5, 0),
            (0.65, 0.3, 1, 0.65, 1.5, 1),
            (0.67, 0.4, 1, 0.65, 1.5, 1),
        ),
        "cifar": (
            (0.62, 0.1, 0.7, 0.7, 0.5, 0),
            (0.65, 0.1, 0.8, 0.7, 0.5, 0),
            (0.65, 0.3, 1, 0.69, 0.5, 0),
            (0.65, 0.1, 0.7, 0.69, 0.6, 1),
            (0.65, 0.1, 0.5, 0.68, 0.6, 1),
        ),
    }

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Spattered copies."""
        height, width, channels = pixels.shape[1:]
        mean, deviation, spread, least, strength, mud = self.constant(severity, height, width)
        tone = luminance(np.array([[MUD if mud else WATER]], np.float32) / np.float32(255)) if channels == 1 else np.array(MUD if mud else WATER)
        colour = (tone.reshape(-1) if channels == 1 else tone / 255).astype(np.float32)
        spattered = np.empty_like(pixels)
        for row, draw in enumerate(draws):
            image = pixels[row].astype(np.float32) / np.float32(255)
            liquid = smooth((mean + deviation * draw.standard_normal((height, width))).astype(np.float32), spread)
            liquid = np.where(liquid < least, np.float32(0), liquid)
            if mud:
                cover = smooth((liquid > least).astype(np.float32), strength)
                cover = np.where(cover < 0.8, np.float32(0), cover)[..., None]
                spattered[row] = quantise(image * (1 - cover) + cover * colour)
            else:
                spattered[row] = quantise(image + strength * _drops(liquid)[..., None] * colour)
        return spattered


WATER = (175, 238, 238)  # pale turquoise
MUD = (63, 42, 20)


def _drops(liquid: Floats) -> Floats:
    """How much light each place of a layer of water adds, up to 1: drops shaded by the distance to their rims."""
    import cv2

    layer = (liquid * 255).clip(0, 255).astype(np.uint8)
    distance = cv2.distanceTransform(255 - cv2.Canny(layer, 50, 150), cv2.DIST_L2, 5)
    _, distance = cv2.threshold(distance, 20, 20, cv2.THRESH_TRUNC)
    shade: Pixels = cv2.equalizeHist(cv2.blur(distance, (3, 3)).astype(np.uint8)).astype(np.uint8)
    shade = cv2.filter2D(shade, cv2.CV_8U, np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]])).astype(np.uint8)
    light = layer.astype(np.float32) * cv2.blur(shade, (3, 3)).astype(np.float32)
    most = float(light.max())
    return np.asarray(light / most if most > 0 else light, np.float32)
