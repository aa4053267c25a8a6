"""Expected calibration error: by hand, and at the edges of its bins."""

from __future__ import annotations

import numpy as np
import pytest

from windtunnel.metrics.calibration import ExpectedCalibrationError
from windtunnel.seeding import generator


def ece(right, confidence):
    labels = np.zeros(len(right), dtype=np.int64)
    return ExpectedCalibrationError()(labels, np.where(right, 0, 1), np.asarray(confidence, dtype=np.float64), 2)


def test_it_is_the_weighted_gap_of_the_bins():
    # Two samples in the bin (0.6, 0.667] with mean 0.64 and accuracy 0.5; two in (0.867, 0.933] with 0.9 and 1.
    assert ece([1, 0, 1, 1], [0.62, 0.66, 0.88, 0.92]).value == pytest.approx(0.5 * 0.14 + 0.5 * 0.1)


def test_an_edge_belongs_to_the_bin_below_it_and_zero_to_the_first():
    # 1/15 and 0 share the first bin, so that their gaps (1 - 1/15 and 0 - 0) average before the absolute value.
    assert ece([1, 0], [1 / 15, 0.0]).value == pytest.approx((1 - 1 / 15) / 2)
    # 2/15 + epsilon is the third bin, away from 2/15.
    apart = ece([1, 0], [2 / 15, 2 / 15 + 1e-6]).value
    assert apart == pytest.approx((1 - 2 / 15 + 2 / 15) / 2, abs=1e-5)


def test_sure_and_right_is_perfectly_calibrated():
    found = ece(np.ones(50), np.ones(50))
    assert found.value == 0.0


def test_honest_confidence_has_a_small_error_and_boasting_a_large_one():
    draw = generator("calibration")
    confidence = draw.uniform(0.5, 1, 4000)
    honest = ece(draw.random(4000) < confidence, confidence)
    boasting = ece(draw.random(4000) < confidence - 0.2, confidence)
    assert honest.low == 0.0 or honest.low < 0.02
    assert honest.value < 0.05
    assert boasting.low < 0.2 < boasting.high
    assert not ExpectedCalibrationError.higher_is_better
