"""Colour casts and low light."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Pixels
from windtunnel.threats.corruptions.corruption import Corruption, Scale, quantise


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ColourCast(Corruption):
    """White balance that is off: channels gain and lose in opposite ways, in a random direction.

    Args:
        severities: from 1 to 5.
        scale: has no part here; the constants hold for any size.
    Source:
        Ours; constants are the largest gain or loss of a channel. Images with one channel become darker or brighter.
    """

    use: ClassVar[str] = "colour-cast"
    libraries: ClassVar[tuple[str, ...]] = ("numpy",)
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = dict.fromkeys(("imagenet", "cifar"), (0.08, 0.16, 0.26, 0.38, 0.55))

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Tinted copies."""
        strength = self.constant(severity, *pixels.shape[1:3])
        tinted = np.empty_like(pixels)
        for row, draw in enumerate(draws):
            gains = np.cos(2 * np.pi * (draw.random() + np.arange(3) / 3)) if pixels.shape[3] == 3 else np.array([np.sign(draw.random() - 0.5)])
            gains = gains / np.abs(gains).max()
            tinted[row] = quantise(pixels[row].astype(np.float32) / np.float32(255) * (1 + strength * gains).astype(np.float32))
        return tinted


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LowLight(Corruption):
    """Underexposure: less light in linear intensity, with the noise of few photons and of the sensor, amplified in part.

    Args:
        severities: from 1 to 5.
        scale: has no part here; the constants hold for any size.
    Source:
        Ours; constants are the share of the light that is left, and the photons of full light. Noise is normal, with the variance of the
        photons and of a read-out noise of two photons; half of the lost stops are won back by amplification. Intensity is taken as
        value to the power of 2.2.
    """

    use: ClassVar[str] = "low-light"
    libraries: ClassVar[tuple[str, ...]] = ("numpy",)
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = dict.fromkeys(
        ("imagenet", "cifar"), ((0.4, 800), (0.25, 400), (0.15, 200), (0.09, 100), (0.05, 60))
    )

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Darker, grainier copies."""
        share, photons = self.constant(severity, *pixels.shape[1:3])
        linear = (np.arange(256, dtype=np.float32) / 255) ** np.float32(2.2) * np.float32(share)
        deviation = np.sqrt(linear * photons + 4) / photons
        gain = np.float32(share**-0.5)
        darker = np.empty_like(pixels)
        for row, draw in enumerate(draws):
            noise = draw.standard_normal(pixels.shape[1:], dtype=np.float32)
            seen = (linear[pixels[row]] + deviation[pixels[row]].astype(np.float32) * noise) * gain
            darker[row] = quantise(seen.clip(0, 1) ** np.float32(1 / 2.2))
        return darker
