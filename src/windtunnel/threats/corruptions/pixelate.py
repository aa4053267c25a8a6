"""Pixelate: a small copy, blown up again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Pixels
from windtunnel.threats.corruptions.corruption import Corruption, Scale
from windtunnel.threats.corruptions.pictures import array, picture


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Pixelate(Corruption):
    """Lower resolution, by box filters both ways.

    Args:
        severities: from 1 to 5.
        scale: whose constants are used; "auto" goes by the shorter side of the images.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261; constants are the share of the side length that is left.
    """

    use: ClassVar[str] = "pixelate"
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "pillow")
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = {
        "imagenet": (0.6, 0.5, 0.4, 0.3, 0.25),
        "cifar": (0.95, 0.9, 0.85, 0.75, 0.65),
    }

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Coarser copies."""
        from PIL.Image import Resampling

        height, width = pixels.shape[1:3]
        share = self.constant(severity, height, width)
        small = (max(1, int(width * share)), max(1, int(height * share)))
        across, down = _sources(small[0], width), _sources(small[1], height)
        coarse = np.empty_like(pixels)
        for row, image in enumerate(pixels):
            shrunk = array(picture(image).resize(small, Resampling.BOX))
            shrunk.take(across, axis=1).take(down, axis=0, out=coarse[row], mode="clip")  # other modes go through a buffer
        return coarse


def _sources(size: int, wanted: int) -> npt.NDArray[np.int64]:
    """For each of the wanted places, which of `size` values the box filter enlarges to it: always a single one."""
    from PIL import Image

    found: npt.NDArray[np.int64] = np.asarray(Image.fromarray(np.arange(size, dtype=np.float32)[None]).resize((wanted, 1), Image.Resampling.BOX))[
        0
    ].astype(np.int64)
    return found
