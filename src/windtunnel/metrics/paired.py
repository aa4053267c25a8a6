"""Paired comparison of two victims on the same samples: is the difference real, how large, and after how many looks?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from windtunnel.core.estimate import Estimate
from windtunnel.metrics import student
from windtunnel.metrics.intervals import SeedPrior, Values, crossed
from windtunnel.seeding import generator

DRAWS = 10_000
"""Random sign patterns where exact enumeration would be too long."""

# Below this lattice size the exact distribution costs less than drawing from it.
_LATTICE = 2**17


@dataclass(frozen=True)
class Comparison:
    """What a paired test says.

    Args:
        difference: left minus right, with its 95 % interval.
        p_value: two-sided, before any correction.
        test: how it was computed, e.g. "exact McNemar".
        deviation: standard deviation of the difference on one sample (averaged over seeds).
    """

    difference: Estimate
    p_value: float
    test: str
    deviation: float


def compare(left: Values, right: Values, *, draws: int = 1, seeds: tuple[int, ...] = (), prior: SeedPrior | None = None) -> Comparison:
    """Test whether two victims differ, on the same samples and the same training seeds.

    One seed: the signs of the per-sample differences are exchangeable if nothing differs; of yes/no outcomes this is
    McNemar's exact test. Several seeds: the same on the means over seeds, and in addition a t test whose error contains
    the spread between seeds; the larger p-value counts, because a difference must stand against new samples *and* new
    trainings.

    Args:
        left, right: yes/no or shares in [0, 1].
        draws: yes/no outcomes averaged in each value.
        seeds: the training seeds of the rows, for the record.
        prior: what other comparisons tell about the spread of differences between seeds.
    Shapes:
        left, right (seed, sample), or (sample,).
    Raises:
        ValueError: the shapes differ, or there is no sample.
    Source:
        McNemar 1947, Psychometrika 12:153; the floor of the variance adds one discordant pair,
        after Agresti and Min 2005, Statistics in Medicine 24:729.
    """
    first = np.atleast_2d(np.asarray(left, dtype=np.float64))
    second = np.atleast_2d(np.asarray(right, dtype=np.float64))
    if first.shape != second.shape or first.size == 0:
        raise ValueError(f"a paired test needs the same seeds and samples on both sides, not {first.shape} and {second.shape}")
    table = first - second
    count, samples = table.shape
    p_value, how = sign_flip(np.rint(table.sum(0) * draws).astype(np.int64))
    mean = float(table.mean())
    deviation, low, high = 1.0, -1.0, 1.0
    if samples > 1:
        deviation = float(table.mean(0).std(ddof=1))
        spread = crossed(table, prior)
        error = (spread.variance + 1 / (samples + 2) ** 2) ** 0.5
        half = student.quantile(spread.freedom) * error
        low, high = max(-1.0, mean - half), min(1.0, mean + half)
        if count > 1:
            p_value = max(p_value, student.two_sided(mean / error, spread.freedom))
    name = "exact McNemar" if count == 1 and draws == 1 and how == "exact" else f"{how} sign flip"
    if count > 1:
        name += " and t over seeds"
    return Comparison(Estimate(mean, low, high, samples, seeds), p_value, name, deviation)


def sign_flip(differences: npt.NDArray[np.int64]) -> tuple[float, str]:
    """Two-sided p-value of a sum whose terms could as well have had the other sign, and how it was found.

    The exact distribution comes from its characteristic function, a product of cosines, on a lattice that holds every
    possible sum; sums too large for that are drawn instead, from generators keyed by the data.

    Shapes:
        differences (sample,), whole numbers.
    """
    sizes, counts = np.unique(np.abs(differences[differences != 0]), return_counts=True)
    observed = abs(int(differences.sum()))
    if observed == 0:
        return 1.0, "exact"
    unit = int(np.gcd.reduce(sizes))
    sizes, observed = sizes // unit, observed // unit
    reach = int((sizes * counts).sum())
    if 2 * reach + 2 > _LATTICE:
        return _sampled(sizes, counts, observed), "sampled"
    lattice = 1 << (2 * reach + 1).bit_length()
    angles = np.arange(lattice // 2 + 1) * (2 * np.pi / lattice)
    wave = np.ones_like(angles)
    for size, count in zip(sizes.tolist(), counts.tolist(), strict=True):
        wave *= np.cos(size * angles) ** count
    mass = np.fft.irfft(wave, lattice)
    # No pattern is rarer than the one with all signs equal; rounding of the transform may say so.
    floor = 2.0 ** (1 - min(1000, int(counts.sum())))
    return min(1.0, max(floor, 2 * float(mass[observed : reach + 1].sum()))), "exact"


def _sampled(sizes: npt.NDArray[np.int64], counts: npt.NDArray[np.int64], observed: int) -> float:
    source = generator("sign-flip", *sizes.tolist(), *counts.tolist())
    total = np.zeros(DRAWS, dtype=np.int64)
    for size, count in zip(sizes.tolist(), counts.tolist(), strict=True):
        total += size * (2 * source.binomial(count, 0.5, DRAWS) - count)
    # The observed pattern counts as one of the draws, so that the p-value is never zero.
    return (1 + int((np.abs(total) >= observed).sum())) / (1 + DRAWS)


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """P-values corrected for their number, in the order given.

    Source:
        Holm 1979, Scandinavian Journal of Statistics 6:65.
    """
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for position, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - position) * p_values[index]))
        corrected[index] = largest
    return tuple(corrected)


def samples_needed(comparison: Comparison) -> int:
    """Roughly how many samples would show a difference of this size with 80 % power at 5 %; 0 if there is none."""
    size = abs(comparison.difference.value)
    if size == 0:
        return 0
    power = 0.8416212335729143  # the 80 % quantile of the normal distribution
    return int(np.ceil(((student.NORMAL_975 + power) * comparison.deviation / size) ** 2))
