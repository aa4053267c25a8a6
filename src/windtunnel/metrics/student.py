"""Student's t distribution, in a few lines because importing scipy costs a report more time than computing it.

Source:
    NIST Digital Library of Mathematical Functions, 8.17.22 (continued fraction of the incomplete beta function).
    Deviation: none; values are compared with scipy's in the tests.
"""

from __future__ import annotations

import math
from statistics import NormalDist

NORMAL_975 = 1.959963984540054
"""The 97.5 % quantile of the normal distribution."""

TAIL = 0.025
"""Probability beyond each end of a 95 % interval."""

# Terms shrink geometrically for the arguments reached here; 300 is far above what any of them needs.
_TERMS = 300
_TINY = 1e-300
_PRECISION = 1e-15


def two_sided(t: float, freedom: float) -> float:
    """The probability that |T| is at least |t|.

    Args:
        t: observed statistic.
        freedom: degrees of freedom, any positive number or infinity.
    """
    if math.isinf(freedom):
        return 2 * NormalDist().cdf(-abs(t))
    return _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


def normal_quantile(tail: float) -> float:
    """The quantile of the normal distribution that leaves `tail` above it."""
    return NORMAL_975 if tail == TAIL else NormalDist().inv_cdf(1 - tail)


def quantile(freedom: float, tail: float = TAIL) -> float:
    """The quantile that leaves `tail` above it; of 2.5 % half the width of a 95 % interval, in standard errors.

    Args:
        freedom: degrees of freedom, at least 1.
        tail: above 0 and below 1/2.
    """
    # Two terms of the expansion in 1 / freedom. Above zero the distribution function is concave, so that Newton's steps
    # come from below after the first, and never overshoot.
    z = normal_quantile(tail)
    t = z if freedom < 3 else z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom * freedom)
    for _ in range(60):
        step = (two_sided(t, freedom) / 2 - tail) / _density(t, freedom)
        t += step
        if abs(step) < 1e-10 * t:
            break
    return t


def _density(t: float, freedom: float) -> float:
    if math.isinf(freedom):
        return NormalDist().pdf(t)
    scale = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - 0.5 * math.log(freedom * math.pi)
    return math.exp(scale - (freedom + 1) / 2 * math.log1p(t * t / freedom))


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b)."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    # The fraction converges fast only left of the mean; the other side follows by symmetry.
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(b, a, 1 - x)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(front) / (a * _fraction(a, b, x))


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction 1 + d1/(1 + d2/(1 + ...)), by the modified Lentz method."""
    value, upper, lower = 1.0, 1.0, 0.0
    for index in range(1, _TERMS):
        half = index // 2
        if index % 2 == 0:
            term = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        else:
            term = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        lower = 1 / ((1 + term * lower) or _TINY)
        upper = (1 + term / upper) or _TINY
        value *= upper * lower
        if abs(upper * lower - 1) < _PRECISION:
            break
    return value
