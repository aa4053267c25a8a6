"""Noise: of a sensor in the dark, of few photons, of broken bits, and in proportion to the signal."""

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
class GaussianNoise(Corruption):
    """Independent normal noise on every value.

    Args:
        severities: from 1 to 5.
        scale: whose constants are used; "auto" goes by the shorter side of the images.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261; constants are standard deviations in units of the range.
    """

    use: ClassVar[str] = "gaussian-noise"
    version: ClassVar[int] = 2
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = {
        "imagenet": (0.08, 0.12, 0.18, 0.26, 0.38),
        "cifar": (0.04, 0.06, 0.08, 0.09, 0.10),
    }

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Noisy copies."""
        deviation = np.float32(self.constant(severity, *pixels.shape[1:3]))
        noisy = np.empty_like(pixels)
        for row, draw in enumerate(draws):
            noise = draw.standard_normal(pixels.shape[1:], dtype=np.float32)
            noise *= deviation
            noise += pixels[row] / np.float32(255)
            noisy[row] = quantise(noise)
        return noisy


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ShotNoise(Corruption):
    """Poisson noise of as many photons as the light lets through.

    Args:
        severities: from 1 to 5.
        scale: whose constants are used; "auto" goes by the shorter side of the images.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261; constants are the photons that make white.
    """

    use: ClassVar[str] = "shot-noise"
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "scipy")
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = {
        "imagenet": (60, 25, 12, 5, 3),
        "cifar": (500, 250, 100, 75, 50),
    }

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Grainy copies."""
        photons = self.constant(severity, *pixels.shape[1:3])
        table = _Counts(photons)
        shown = quantise(np.arange(table.most + 1) / photons)
        grainy = np.empty_like(pixels)
        for row, draw in enumerate(draws):
            grainy[row] = shown[table.counts(pixels[row], draw.random(pixels.shape[1:], dtype=np.float32))]
        return grainy


class _Counts:
    """Poisson counts for the 256 grey levels, by inverting their distribution functions; 256 entry points save nearly all of the search.

    Args:
        photons: expected at white.
    """

    def __init__(self, photons: float) -> None:
        from scipy.stats import poisson

        expected = np.arange(256) / 255 * photons
        self.most = int(poisson.ppf(1 - 1e-9, photons)) + 1
        cumulative: npt.NDArray[np.float64] = np.asarray(poisson.cdf(np.arange(self.most + 1)[None, :], expected[:, None]))
        cumulative[:, -1] = 1.0
        self.cumulative = cumulative
        edges = np.arange(257) / 256
        self.first = np.stack([np.searchsorted(row, edges[:-1], side="right") for row in cumulative]).clip(max=self.most).astype(np.int32)
        self.last = np.stack([np.searchsorted(row, edges[1:], side="left") for row in cumulative]).clip(max=self.most).astype(np.int32)

    def counts(self, levels: Pixels, numbers: npt.NDArray[np.float32]) -> npt.NDArray[np.int32]:
        """A count for each grey level and uniform number."""
        entry = levels.astype(np.int32) * 256 + (numbers * 256).astype(np.int32)
        found: npt.NDArray[np.int32] = self.first.ravel()[entry]
        unsure = np.flatnonzero(found.ravel() < self.last.ravel()[entry.ravel()])
        flat, level, number = found.ravel(), levels.ravel(), numbers.ravel()
        while len(unsure):
            above = number[unsure] >= self.cumulative[level[unsure], flat[unsure]]
            unsure = unsure[above]
            flat[unsure] += 1
        return flat.reshape(levels.shape)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ImpulseNoise(Corruption):
    """Values that are black or white by chance.

    Args:
        severities: from 1 to 5.
        scale: whose constants are used; "auto" goes by the shorter side of the images.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261; constants are the share of values that are lost, half of them to white.
    """

    use: ClassVar[str] = "impulse-noise"
    libraries: ClassVar[tuple[str, ...]] = ("numpy",)
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = {
        "imagenet": (0.03, 0.06, 0.09, 0.17, 0.27),
        "cifar": (0.01, 0.02, 0.03, 0.05, 0.07),
    }

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Speckled copies."""
        share = self.constant(severity, *pixels.shape[1:3])
        noisy = pixels.copy()
        for row, draw in enumerate(draws):
            # The last of 16 random bits says which way a value is lost, the others whether it is.
            bits = draw.integers(0, 1 << 16, pixels.shape[1:], dtype=np.uint16)
            white = (bits & np.uint16(1)).astype(np.uint8)
            np.copyto(noisy[row], white * np.uint8(255), where=bits < np.uint16(round(share * (1 << 16))))
        return noisy


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SpeckleNoise(Corruption):
    """Normal noise in proportion to the value.

    Args:
        severities: from 1 to 5.
        scale: whose constants are used; "auto" goes by the shorter side of the images.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261; constants are standard deviations of the factor.
    """

    use: ClassVar[str] = "speckle-noise"
    libraries: ClassVar[tuple[str, ...]] = ("numpy",)
    constants: ClassVar[dict[Scale, tuple[Any, ...]]] = {
        "imagenet": (0.15, 0.2, 0.35, 0.45, 0.6),
        "cifar": (0.06, 0.1, 0.12, 0.16, 0.2),
    }

    def distort(self, pixels: Pixels, severity: int, draws: Sequence[np.random.Generator]) -> Pixels:
        """Noisy copies."""
        deviation = np.float32(self.constant(severity, *pixels.shape[1:3]))
        noisy = np.empty_like(pixels)
        for row, draw in enumerate(draws):
            factor = 1 + deviation * draw.standard_normal(pixels.shape[1:], dtype=np.float32)
            noisy[row] = quantise(pixels[row] * (factor / np.float32(255)))
        return noisy
