"""Student's t distribution against scipy's."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from windtunnel.metrics import student

FREEDOMS = (1.0, 1.3, 2.0, 2.99, 3.0, 7.5, 30.0, 199.0, 1e4)


@pytest.mark.parametrize("freedom", FREEDOMS)
def test_the_quantile_is_scipys(freedom):
    assert student.quantile(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=1e-9)


@pytest.mark.parametrize("freedom", FREEDOMS)
@pytest.mark.parametrize("t", [0.0, 0.3, 1.96, -2.5, 9.0, 60.0])
def test_the_tail_is_scipys(freedom, t):
    assert student.two_sided(t, freedom) == pytest.approx(2 * stats.t.sf(abs(t), freedom), rel=1e-7, abs=1e-14)


def test_infinite_freedom_is_the_normal_distribution():
    assert student.quantile(math.inf) == pytest.approx(student.NORMAL_975, abs=1e-9)
    assert student.two_sided(1.0, math.inf) == pytest.approx(2 * stats.norm.sf(1.0))
