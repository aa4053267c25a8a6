"""Paired tests: exact against scipy, and honest about false alarms."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit

from windtunnel.metrics.intervals import seed_prior
from windtunnel.metrics.paired import compare, holm, samples_needed, sign_flip


@pytest.mark.parametrize(("gains", "losses", "same"), [(10, 2, 88), (5, 5, 90), (0, 7, 10), (1, 0, 3), (300, 250, 400)])
def test_one_seed_is_mcnemars_exact_test(gains, losses, same):
    left = np.array([1] * gains + [0] * losses + [1] * same)
    right = np.array([0] * gains + [1] * losses + [1] * same)
    found = compare(left, right)
    assert found.p_value == pytest.approx(stats.binomtest(gains, gains + losses).pvalue, abs=1e-12)
    assert found.test == "exact McNemar"
    assert found.difference.value == pytest.approx((gains - losses) / (gains + losses + same))


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9))
@settings(max_examples=80, deadline=None)
def test_the_sign_flip_test_is_the_enumeration_of_all_signs(differences):
    values = np.array(differences)
    observed = abs(values.sum())
    sums = [abs(sum(sign * value for sign, value in zip(signs, differences, strict=True))) for signs in product((1, -1), repeat=len(differences))]
    expected = np.mean([value >= observed for value in sums])
    assert sign_flip(values)[0] == pytest.approx(expected, abs=1e-12)


def test_a_lattice_too_large_is_sampled_the_same_way_every_time():
    values = np.random.default_rng(0).integers(-5000, 5200, 400)
    first, how = sign_flip(values)
    assert how == "sampled"
    assert sign_flip(values) == (first, how)
    spread = float(np.sqrt((values.astype(float) ** 2).sum()))
    assert first == pytest.approx(2 * stats.norm.sf(abs(values.sum()) / spread), abs=0.02)


def test_equal_victims_do_not_differ():
    table = np.random.default_rng(0).random((3, 50)) < 0.5
    found = compare(table, table)
    assert found.p_value == 1.0
    assert found.difference.value == 0.0
    assert found.difference.low < 0 < found.difference.high


def test_swapping_sides_turns_the_sign_and_keeps_the_p_value():
    generator = np.random.default_rng(3)
    left, right = generator.random((2, 80)) < 0.7, generator.random((2, 80)) < 0.5
    one, other = compare(left, right), compare(right, left)
    assert one.p_value == other.p_value
    assert one.difference.low == -other.difference.high


def test_a_difference_that_seeds_do_not_agree_on_is_not_real():
    base = np.zeros((2, 200))
    agreeing, torn = base.copy(), base.copy()
    agreeing[:, :40] = 1
    torn[0, :80] = 1
    assert compare(agreeing, base).p_value < 0.001
    assert compare(torn, base).difference.value == compare(agreeing, base).difference.value
    assert compare(torn, base).p_value > 0.05


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match="same seeds and samples"):
        compare(np.ones((2, 5)), np.ones((1, 5)))


@pytest.mark.parametrize(("seeds", "effect", "bound"), [(1, 0.0, 0.06), (2, 0.0, 0.06), (2, 0.3, 0.09), (3, 0.5, 0.07)])
def test_false_alarms_stay_near_five_percent(seeds, effect, bound):
    generator = np.random.default_rng(11)
    entries, samples, alarms, total = 5, 120, 0, 0
    for _ in range(60):
        difficulty = 3 * generator.standard_normal((1, samples))
        tables = [generator.random((seeds, samples)) < expit(difficulty + effect * generator.standard_normal((seeds, 1))) for _ in range(entries)]
        couples = [(tables[i], tables[j]) for i in range(entries) for j in range(i)]
        prior = seed_prior([left * 1.0 - right for left, right in couples])
        alarms += sum(compare(left, right, prior=prior).p_value < 0.05 for left, right in couples)
        total += len(couples)
    assert alarms / total <= bound


def test_a_large_difference_is_found():
    generator = np.random.default_rng(5)
    difficulty = 2 * generator.standard_normal((1, 200))
    strong = generator.random((2, 200)) < expit(2 + difficulty)
    weak = generator.random((2, 200)) < expit(difficulty)
    found = compare(strong, weak)
    assert found.p_value < 0.01
    assert found.difference.low > 0


def test_holms_correction_is_the_published_procedure():
    # Sorted: 0.005 x 4 = 0.02, 0.01 x 3 = 0.03, 0.03 x 2 = 0.06, then 0.04 x 1 raised to 0.06.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([]) == ()
    assert holm([0.9, 0.8]) == (1.0, 1.0)


def test_the_samples_needed_are_those_of_a_paired_z_test():
    left = np.array([1] * 60 + [0] * 40)
    right = np.array([1] * 55 + [0] * 45)
    found = compare(left, right)
    expected = ((1.959964 + 0.841621) * found.deviation / 0.05) ** 2
    assert samples_needed(found) == int(np.ceil(expected))
    assert samples_needed(compare(left, left)) == 0
