"""Intervals over samples and seeds: closed forms, published values, and coverage by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit

from windtunnel.core.estimate import Estimate
from windtunnel.core.outcome import wilson
from windtunnel.metrics.intervals import averaged, crossed, pooled, score_interval, seed_prior


@pytest.mark.parametrize(("right", "n"), [(0, 10), (1, 10), (50, 100), (199, 200), (200, 200), (1, 1)])
def test_one_seed_gives_wilsons_interval(right, n):
    outcomes = np.arange(n) < right
    found = pooled(outcomes)
    reference = stats.binomtest(right, n).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((reference.low, reference.high), abs=1e-12)
    assert (found.value, found.n) == (right / n, n)
    assert (found.low, found.high) == pytest.approx((wilson(right, n).low, wilson(right, n).high), abs=1e-12)


def test_the_score_interval_is_newcombes_published_example():
    # Newcombe 1998, Statistics in Medicine 17:857, table I, method 3: 81 of 263 and 15 of 148.
    assert score_interval(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert score_interval(15 / 148, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)


def test_identical_seeds_add_no_information():
    row = np.arange(200) % 3 == 0
    one, three = pooled(row), pooled(np.stack([row, row, row]))
    assert three.value == one.value
    # The same width but for Student's quantile on 199 degrees of freedom.
    assert three.high - three.low == pytest.approx(one.high - one.low, rel=0.01)


def test_the_variance_of_the_grand_mean_is_the_closed_form_of_a_balanced_design():
    table = np.array([[1.0, 0, 1, 0, 1, 1], [1.0, 0, 0, 0, 1, 1], [1.0, 1, 1, 0, 1, 0]])
    seeds, samples = table.shape
    grand, rows, columns = table.mean(), table.mean(1), table.mean(0)
    ms_seed = samples * ((rows - grand) ** 2).sum() / (seeds - 1)
    ms_sample = seeds * ((columns - grand) ** 2).sum() / (samples - 1)
    rest = table - rows[:, None] - columns[None, :] + grand
    ms_rest = (rest**2).sum() / ((seeds - 1) * (samples - 1))
    used = max(ms_sample + ms_seed - ms_rest, ms_sample, ms_seed)
    assert crossed(table).variance == pytest.approx(used / table.size)


def test_seeds_that_differ_widen_the_interval():
    generator = np.random.default_rng(0)
    same = generator.random((3, 300)) < 0.7
    apart = generator.random((3, 300)) < np.array([[0.5], [0.7], [0.9]])
    assert pooled(apart).high - pooled(apart).low > 2 * (pooled(same).high - pooled(same).low)


@given(st.integers(1, 4), st.integers(1, 30), st.integers(0, 10**6), st.floats(0, 1))
@settings(max_examples=150, deadline=None)
def test_an_interval_contains_its_value_and_stays_between_zero_and_one(seeds, samples, key, share):
    table = np.random.default_rng(key).random((seeds, samples)) < share
    found = pooled(table, prior=seed_prior([table, table, ~table]))
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high


@given(st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_the_order_of_samples_and_seeds_does_not_matter(key):
    generator = np.random.default_rng(key)
    table = generator.random((3, 20)) < 0.6
    moved = table[generator.permutation(3)][:, generator.permutation(20)]
    assert pooled(moved) == pooled(table)


def test_all_right_under_every_seed_is_as_uncertain_as_under_one():
    assert pooled(np.ones((5, 40))).low == pytest.approx(pooled(np.ones(40)).low)
    assert pooled(np.zeros((5, 40))).high < 0.1


def test_shares_that_never_vary_get_the_interval_of_the_outcomes_behind_them():
    found = pooled(np.full((1, 50), 0.5), draws=4)
    assert (found.low, found.high) == pytest.approx(score_interval(0.5, 200))


def test_nothing_has_no_interval():
    with pytest.raises(ValueError, match="at least one sample"):
        pooled(np.zeros((2, 0)))
    with pytest.raises(ValueError, match="at least one estimate"):
        averaged([])


def test_too_few_entries_give_no_prior():
    table = np.random.default_rng(0).random((2, 50)) < 0.5
    assert seed_prior([table, table]) is None
    assert seed_prior([table[:1]] * 5) is None
    assert seed_prior([np.ones((2, 50))] * 5) is None
    assert seed_prior([table] * 3) is not None


@pytest.mark.parametrize(("seeds", "effect"), [(1, 0.0), (2, 0.3), (3, 0.6)])
def test_coverage_is_near_95_percent(seeds, effect):
    generator = np.random.default_rng(7)
    entries, samples, hits, total = 6, 150, 0, 0
    effects = np.where(np.arange(entries) % 2 == 0, effect, effect / 2)
    levels = generator.uniform(-1, 2.5, entries)
    many = generator.standard_normal((2, 20_000))
    truth = [expit(levels[e] + 2 * many[0] + effects[e] * many[1]).mean() for e in range(entries)]
    for _ in range(120):
        difficulty = 2 * generator.standard_normal((1, samples))
        logits = [levels[e] + difficulty + effects[e] * generator.standard_normal((seeds, 1)) for e in range(entries)]
        tables = [generator.random((seeds, samples)) < expit(value) for value in logits]
        prior = seed_prior(tables)
        found = [pooled(table, prior=prior) for table in tables]
        hits += sum(low.low <= value <= low.high for low, value in zip(found, truth, strict=True))
        total += entries
    assert 0.92 <= hits / total <= 0.985


def test_averaged_estimates_keep_the_error_of_the_samples_and_add_that_of_the_seeds():
    left, right = Estimate(0.5, 0.4, 0.6, 100, (0,)), Estimate(0.5, 0.4, 0.6, 100, (1,))
    together = averaged([left, right])
    assert (together.low, together.high, together.seeds) == (pytest.approx(0.4), pytest.approx(0.6), (0, 1))
    apart = averaged([left, Estimate(0.7, 0.6, 0.8, 100, (1,))])
    assert apart.value == pytest.approx(0.6)
    assert apart.high - apart.low > 0.9  # two seeds a fifth apart say little
