"""Corruption errors against the published table, and robustness curves in closed form."""

import math

import numpy as np
import pytest

from windtunnel.builtins import CORRUPTION_SETS
from windtunnel.metrics.corruption_error import ALEXNET, ALEXNET_CLEAN, mean_corruption_error, relative_corruption_error
from windtunnel.metrics.curve import areas, median_distance

TABLE = np.array(list(ALEXNET.values()))


def test_alexnet_has_100_by_its_own_table_which_covers_the_common_corruptions():
    assert sorted(ALEXNET) == sorted(CORRUPTION_SETS["common"])
    assert mean_corruption_error(TABLE, TABLE) == pytest.approx(1, abs=1e-12)
    assert relative_corruption_error(TABLE, np.float64(ALEXNET_CLEAN), TABLE, np.float64(ALEXNET_CLEAN)) == pytest.approx(1, abs=1e-12)


def test_a_relative_error_counts_what_is_lost_and_not_what_was_never_there():
    reference, clean = np.array([0.5, 0.6]), np.float64(0.3)
    assert relative_corruption_error(np.array([0.2, 0.35]), np.float64(0.1), reference, clean) == pytest.approx((0.1 / 0.2 + 0.25 / 0.3) / 2)


def test_nothing_is_measured_in_units_of_nothing():
    with pytest.raises(ValueError, match="makes no error"):
        mean_corruption_error(np.array([0.1]), np.array([0.0]))
    with pytest.raises(ValueError, match="does not become worse"):
        relative_corruption_error(np.array([0.1]), np.float64(0.1), np.array([0.2]), np.float64(0.2))


def test_an_area_is_one_for_who_always_stands_and_falls_with_the_radius_of_the_fall():
    correct = np.array([[1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]], dtype=bool)
    np.testing.assert_allclose(areas(correct, [0, 1, 4]), [1, (1 + 1.5) / 4, 0.5 / 4, 0])
    # The mean over samples is the trapezoid under the accuracies.
    accuracy = correct.mean(1)
    assert areas(correct, [0, 1, 4]).mean() == pytest.approx(np.trapezoid(accuracy, [0, 1, 4]) / 4)


def test_a_median_beyond_what_was_searched_is_infinite_and_not_the_largest_found():
    found = median_distance(np.array([0.1, np.inf, np.inf]))
    assert math.isinf(found.value)
    assert median_distance(np.array([0.0, 0.2, 0.4, np.inf])).value == pytest.approx(0.3)
    with pytest.raises(ValueError, match="at least one"):
        median_distance(np.zeros(0))


@pytest.mark.parametrize("n", [30, 101])
def test_the_interval_of_a_median_covers_it_as_often_as_it_says(n):
    draws = np.random.default_rng(0).exponential(size=(4000, n))
    inside = [found.low <= math.log(2) <= found.high for found in map(median_distance, draws)]
    assert 0.94 < np.mean(inside) < 0.985
