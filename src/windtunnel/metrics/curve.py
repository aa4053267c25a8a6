"""Robustness curves: the area under accuracy against the radius, and the median distance to a misclassified point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from windtunnel.core.outcome import Bools, Floats
from windtunnel.metrics import student


def areas(correct: Bools, radii: Sequence[float]) -> Floats:
    """Each sample's share of the radii up to the largest at which it stands, by the trapezoidal rule; their mean is the area under the curve.

    Args:
        correct: whether samples stand, the unchanged ones first.
        radii: ascending, the first one 0.
    Shapes:
        correct (radius, sample); returns (sample,), in [0, 1].
    """
    widths = np.diff(np.asarray(radii, dtype=np.float64))
    stands = correct.astype(np.float64)
    found: Floats = (widths[:, None] * (stands[1:] + stands[:-1]) / 2).sum(0) / widths.sum()
    return found


@dataclass(frozen=True)
class Median:
    """A median of distances, of which some are only known to exceed what was searched.

    Args:
        value: infinite if more than half were not found.
        low, high: 95 % interval over samples; `high` may be infinite.
        n: number of samples.
    """

    value: float
    low: float
    high: float
    n: int


def median_distance(distances: Floats) -> Median:
    """The median of the smallest changes found, 0 for samples that were wrong from the start and infinity for those that stand.

    The interval has the order statistics as its ends that the binomial distribution names, which asks nothing of the distances.

    Raises:
        ValueError: no distances.
    Source:
        Conover 1999, Practical Nonparametric Statistics, section 3.2, in the normal approximation.
    """
    n = len(distances)
    if not n:
        raise ValueError("a median needs at least one sample")
    ordered = np.sort(distances)
    half = student.NORMAL_975 * math.sqrt(n) / 2
    low, high = math.floor(n / 2 - half), math.ceil(n / 2 + half)
    lower, upper = ordered[(n - 1) // 2], ordered[n // 2]
    middle = float(upper) if math.isinf(upper) else float(lower + upper) / 2
    return Median(middle, float(ordered[max(0, low)]), float(ordered[min(n - 1, high)]), n)
