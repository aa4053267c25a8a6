"""The worst of several draws against a victim that knows some words, so that each verdict can be told by reading the draws."""

from fractions import Fraction

import numpy as np
import pytest
from pydantic import ValidationError
from support.words import batch, victim

from windtunnel.builtins import THREATS
from windtunnel.threats.text.worst_of import WorstOf

SEEN = batch(*[f"number {row} is a great and lovely film with good people" for row in range(30)])
NAME = "keyboard-typos"


def stands(severity, number, seed=3):
    """Whether the lexicon is still right about each text under one draw."""
    return (victim().logits(draw(severity, number, seed)).argmax(1) == SEEN.labels).numpy()


def draw(severity, number, seed=3):
    return THREATS.load(NAME)().rewritten(SEEN.inputs, SEEN.ids, severity, seed, number)


def test_a_sample_stands_if_it_stands_under_every_draw_of_this_and_of_lower_severities():
    out = WorstOf(of=NAME, draws=5, severities=(3, 4, 5))(victim(), SEEN, seed=3)
    each = np.array([np.all([stands(severity, number) for number in range(5)], axis=0) for severity in (3, 4, 5)])
    np.testing.assert_array_equal(out.correct, np.logical_and.accumulate(each))
    assert 0 < out.correct[-1].sum() < out.correct[0].sum() < 30


def test_more_draws_break_more_and_the_plain_perturbation_breaks_least():
    plain = THREATS.load(NAME)(severities=5)(victim(), SEEN, seed=3).correct[0]
    few, many = (WorstOf(of=NAME, draws=draws, severities=5)(victim(), SEEN, seed=3).correct[0] for draws in (2, 8))
    assert np.all(many <= few)
    assert np.all(few <= plain)
    assert many.sum() < few.sum() < plain.sum()


def test_what_comes_back_is_the_first_draw_that_fools_the_victim():
    out = WorstOf(of=NAME, draws=4, severities=5)(victim(), SEEN, seed=3, keep=True)
    draws = [draw(5, number).plain() for number in range(4)]
    for row, text in enumerate(out.perturbed.plain()):
        fooling = [number for number in range(4) if not stands(5, number)[row]]
        assert text == draws[fooling[0] if fooling else 3][row]


def test_every_question_is_counted_and_a_fallen_sample_asks_no_more():
    out = WorstOf(of=NAME, draws=4, severities=5)(victim(), SEEN, seed=3)
    standing = np.ones(30, dtype=bool)
    expected = 0
    for number in range(3):
        expected += int(standing.sum())
        standing &= stands(5, number)
    assert out.cost.queries == expected < 3 * 30


def test_verdicts_are_the_same_for_any_batch_and_order():
    threat = WorstOf(of=NAME, draws=3, severities=(2, 5))
    whole = threat(victim(), SEEN, keep=True)
    pieces = threat(victim(), SEEN, micro_batch=7, keep=True)
    backwards = threat(victim(), SEEN.take(range(29, -1, -1)), keep=True)
    assert pieces.perturbed == whole.perturbed
    assert backwards.perturbed[::-1] == whole.perturbed
    np.testing.assert_array_equal(backwards.correct[:, ::-1], whole.correct)


def test_it_is_shown_as_what_it_is():
    threat = WorstOf(of=NAME, draws=8, severities=[5, 1])
    assert threat.title == "keyboard-typos, worst of 8"
    assert threat.levels == (Fraction(1), Fraction(5))
    assert threat.passes() == 7
    assert threat.describe()["arguments"] == {"of": NAME, "draws": 8, "severities": [1, 5]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"of": "keyboard-typo"}, "Unknown perturbation 'keyboard-typo'. Did you mean 'keyboard-typos'"),
        ({"of": "pgd"}, "Unknown perturbation 'pgd'"),
        ({"of": "worst-of"}, "Unknown perturbation 'worst-of'"),
        ({"of": NAME, "draws": 1}, "greater than or equal to 2"),
        ({"of": NAME, "severities": []}, "the list is empty"),
        ({}, "of"),
    ],
)
def test_what_cannot_be_drawn_is_refused(arguments, message):
    with pytest.raises(ValidationError, match=message):
        WorstOf(**arguments)
