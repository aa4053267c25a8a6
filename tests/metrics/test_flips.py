"""Flips counted by hand, and the mean flip rate."""

import numpy as np
import pytest

from windtunnel.metrics.flips import flip_probability, mean_flip_rate

ANSWERS = np.array([[1, 4], [1, 4], [2, 4], [1, 4], [1, 5], [3, 5]])


def test_flips_are_counted_between_neighbours():
    # 1 1 2 1 1 3 changes three times in five steps, 4 4 4 4 5 5 once.
    np.testing.assert_allclose(flip_probability(ANSWERS, noise=False), [3 / 5, 1 / 5])


def test_frames_of_noise_are_compared_with_the_first():
    # After the first 1: 1 2 1 1 3, of which two are others; after the first 4: 4 4 4 5 5, likewise.
    np.testing.assert_allclose(flip_probability(ANSWERS, noise=True), [2 / 5, 2 / 5])
    np.testing.assert_allclose(flip_probability(ANSWERS, noise=True, difficulty=3), [2 / 5, 2 / 5])


def test_a_difficulty_compares_frames_so_many_apart():
    # Two apart: 1-2, 1-1, 2-1, 1-3 and 4-4, 4-4, 4-5, 4-5. Three apart: 1-1, 1-1, 2-3 and 4-4, 4-5, 4-5.
    np.testing.assert_allclose(flip_probability(ANSWERS, noise=False, difficulty=2), [3 / 4, 2 / 4])
    np.testing.assert_allclose(flip_probability(ANSWERS, noise=False, difficulty=3), [1 / 3, 2 / 3])


def test_a_single_frame_has_no_flips_to_count():
    with pytest.raises(ValueError, match="1 frames has none that are 1 apart"):
        flip_probability(ANSWERS[:1], noise=False)


def test_the_rate_is_a_mean_of_quotients_and_one_for_the_reference():
    reference = np.array([0.2, 0.05])
    assert mean_flip_rate(reference, reference) == pytest.approx(1)
    assert mean_flip_rate(np.array([0.1, 0.1]), reference) == pytest.approx((0.5 + 2) / 2)
    with pytest.raises(ValueError, match="never flips"):
        mean_flip_rate(reference, np.array([0.1, 0.0]))
