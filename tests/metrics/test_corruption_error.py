"""Corruption errors against the published table, and robustness curves in closed form."""

import math

import numpy as np
import pytest

from windtunnel.metrics.corruption_error import ALEXNET, ALEXNET_CLEAN, mean_corruption_error, relative_corruption_error
from windtunnel.metrics.curve import areas, median_distance
from windtunnel.sets import CORRUPTION_SETS

TABLE = np.array(list(ALEXNET.values()))


def test_alexnet_has_100_by_its_own_table_which_covers_the_common_corruptions():
    assert sorted(ALEXNET) == sorted(CORRUPTION_SETS["common"])
    assert mean_corruption_error(TABLE, TABLE) == pytest.approx(1, abs=1e-12)
    assert relative_corruption_error(TABLE, np.float64(ALEXNET_CLEAN), TABLE, np.float64(ALEXNET_CLEAN)) == pytest.approx(1, abs=1e-12)


# Accuracies in percent on 5000 images, a row for each corruption of ImageNet-3DCC and a column for each severity; and the mCE published
# with them. From model_info/imagenet/corruptions/ of RobustBench at commit fe235fb: unaggregated_results_3d.csv, and corruptions_mce_3d in
# Standard_R50.json and Hendrycks2020Many.json.
ROBUSTBENCH_ALEXNET = """
46.16 41.92 38.22 35.54 32.82  47.22 39.02 33.14 29.00 25.86  44.32 40.00 32.72 26.30 14.98  55.10 53.88 50.18 33.06  9.68
28.58 24.80 20.82 15.60  9.58  43.74 28.08 18.52 13.28  9.60  49.80 48.36 44.94 36.26 36.94  50.28 50.12 48.86 44.96 43.18
13.08 10.52  6.58  2.86  1.20  28.32 23.64 18.74 12.46  5.60  30.28 20.90 15.30 11.56  9.54  27.92 23.08 19.30 16.60 15.16
"""
ROBUSTBENCH = {
    73.16: """
66.70 62.98 58.92 55.90 52.30  67.08 60.64 53.72 48.88 44.56  63.38 56.96 48.86 40.26 24.76  73.00 71.76 67.76 50.74 18.54
49.24 45.32 39.76 33.12 21.96  65.42 51.76 40.16 31.28 25.26  70.64 69.64 64.64 51.40 52.16  70.78 70.64 68.88 65.50 62.48
40.60 37.00 28.96 19.00  8.04  55.50 51.90 46.44 39.90 28.28  51.12 39.34 29.72 22.92 17.90  47.60 39.78 32.80 27.60 24.92
""",
    60.69: """
70.82 69.34 66.68 63.50 60.54  71.22 65.50 60.12 54.30 50.28  67.50 61.08 52.14 43.94 27.30  74.84 74.28 71.86 62.80 37.02
58.92 55.20 51.52 45.10 35.84  70.38 59.90 47.98 38.60 31.96  75.00 73.94 71.16 59.46 60.02  75.10 75.22 74.16 71.22 69.44
66.28 65.18 62.38 55.86 44.78  66.02 64.38 60.86 55.22 44.92  61.38 50.90 40.22 31.46 24.70  53.14 44.20 36.46 30.10 27.26
""",
}


@pytest.mark.parametrize("published", ROBUSTBENCH)
def test_divided_by_an_entry_on_the_same_images_it_is_robustbenchs(published):
    own, alexnet = (1 - np.array(text.split(), dtype=float).reshape(12, 5).mean(1) / 100 for text in (ROBUSTBENCH[published], ROBUSTBENCH_ALEXNET))
    assert round(100 * float(mean_corruption_error(own, alexnet)), 2) == published


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
