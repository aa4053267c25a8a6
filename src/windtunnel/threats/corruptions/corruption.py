"""Corruption: a blind threat on 8-bit images, in severities from 1 to 5."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic.dataclasses import dataclass

from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Pixels, to_inputs, to_pixels
from windtunnel.core.threat import Family, Threat
from windtunnel.core.victim import Victim
from windtunnel.seeding import generators
from windtunnel.threats.severities import Severities

if TYPE_CHECKING:
    from torch import Tensor

Scale = Literal["imagenet", "cifar"]
LARGE = 64
"""Shorter side, in pixels, from which `scale: auto` takes the constants published for 224 pixels instead of those for 32."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Corruption(Threat):
    """Base of the corruptions; a concrete one names its published constants and writes `distort`.

    Draws are keyed by (seed, corruption, sample id) and are the same at every severity.

    Args:
        severities: from 1 to 5.
        scale: whose constants are used; "auto" goes by the shorter side of the images.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261, with the constants of its published generators, which differ between
        ImageNet-C (224 pixels) and CIFAR-10-C (32 pixels).
    Deviation:
        ImageNet-C was stored as JPEG of quality 85, which adds a second corruption; nothing here is stored that way.
    """

    family: ClassVar[Family] = "corruption"
    adaptive: ClassVar[bool] = False
    libraries: ClassVar[tuple[str, ...]] = ("numpy",)
    constants: ClassVar[dict[Scale, tuple[Any, ...]]]

    severities: Severities = (1, 2, 3, 4, 5)
    scale: Literal["auto", "imagenet", "cifar"] = "auto"

    @property
    def levels(self) -> tuple[Fraction, ...]:
        """The severities."""
        return tuple(Fraction(severity) for severity in self.severities)

    def passes(self) -> float:
        """Nothing beyond the evaluation itself."""
        return 0

    def constant(self, severity: int, height: int, width: int) -> Any:
        """The published constant for images of that size."""
        scale: Scale = self.scale if self.scale != "auto" else "imagenet" if min(height, width) >= LARGE else "cifar"
        return self.constants[scale][severity - 1]

    @abstractmethod
    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Corrupted copies.

        Args:
            pixels: uint8 images.
            severity: 1 to 5.
            draws: one generator per image.
        Shapes:
            pixels (n, height, width, channel), channel 1 or 3; returns the same.
        """

    def perturb(self, victim: Victim, batch: Batch, level: Fraction, seed: int) -> Tensor:
        """Corrupted inputs on the 8-bit grid."""
        distorted = self.distort(to_pixels(batch.inputs), int(level), generators(seed, self.use, batch.ids))
        return to_inputs(distorted).to(device=batch.inputs.device, dtype=batch.inputs.dtype)


def quantise(values: npt.NDArray[np.float64] | npt.NDArray[np.float32]) -> Pixels:
    """Values in [0, 1] as 8-bit levels: clipped, and truncated as the published sets are.

    A whole level that float rounding left a trifle short keeps its level.
    """
    spare = 1e-6 if values.dtype == np.float64 else 1e-3  # a few roundings of 255
    scaled = values * values.dtype.type(255)
    scaled += values.dtype.type(spare)
    np.clip(scaled, 0, 255, out=scaled)
    levels: Pixels = scaled.astype(np.uint8)
    return levels
