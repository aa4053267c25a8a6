"""Worst group: the smallest accuracy, with an interval for the smallest true one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from windtunnel.core.outcome import wilson
from windtunnel.metrics.groups import by_group, worst_group
from windtunnel.metrics.intervals import SeedPrior, score_interval


def test_the_value_is_the_smallest_mean_over_seeds_and_samples_of_a_group() -> None:
    correct = np.array([[1, 1, 0, 1, 1, 0], [1, 0, 0, 1, 1, 1]], dtype=float)
    found = worst_group(by_group(correct, np.array([4, 4, 4, 9, 9, 9])), seeds=(0, 1))
    assert found.value == pytest.approx(3 / 6)
    assert (found.n, found.seeds) == (3, (0, 1))


def test_a_single_group_is_the_accuracy_itself() -> None:
    correct = np.array([[1.0] * 30 + [0.0] * 10])
    found, plain = worst_group(by_group(correct, np.zeros(40))), wilson(30, 40)
    assert (found.value, found.low, found.high, found.n) == pytest.approx((plain.value, plain.low, plain.high, 40))


def test_the_ends_are_the_smallest_of_wilsons_intervals_that_hold_at_once() -> None:
    correct = np.array([[1.0] * 30 + [0.0] * 10 + [1.0] * 7 + [0.0] * 1])
    groups = np.repeat([0, 1], [40, 8])
    z = stats.norm.ppf(1 - 0.025 / 2)
    ends = [score_interval(30 / 40, 40, z), score_interval(7 / 8, 8, z)]
    found = worst_group(by_group(correct, groups))
    assert (found.value, found.n) == (0.75, 40)
    assert (found.low, found.high) == pytest.approx((min(low for low, _ in ends), min(high for _, high in ends)))
    assert found.low == pytest.approx(ends[1][0]), "the small group may be worse than the one that looks worst"


@pytest.mark.parametrize("seeds", [1, 2])
def test_the_interval_covers_the_smallest_true_accuracy(seeds) -> None:
    source = np.random.default_rng(0)
    groups, covered, naive = np.repeat(np.arange(10), 25), 0, 0
    for _ in range(200):
        truth = source.uniform(0.7, 0.95, 10)
        correct = (source.random((seeds, 250)) < truth[groups]).astype(float)
        found = worst_group(by_group(correct, groups))
        alone = wilson(round(found.value * 25), 25)
        covered += found.low <= truth.min() <= found.high
        naive += alone.low <= truth.min() <= alone.high
    assert covered >= 190
    assert covered >= naive


def test_no_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one sample"):
        worst_group(by_group(np.zeros((1, 0)), np.zeros(0)))


def test_what_other_entries_tell_about_seeds_narrows_the_interval_of_an_entry_that_is_nearly_perfect() -> None:
    nearly = by_group(np.stack([np.ones(60), np.r_[np.zeros(4), np.ones(56)]]), np.repeat([0, 1, 2], 20))
    alone, informed = worst_group(nearly, (0, 1)), worst_group(nearly, (0, 1), SeedPrior(ratio=1.0, freedom=4.0))
    assert alone.value == informed.value == pytest.approx(0.9)
    assert alone.low < informed.low < informed.value
