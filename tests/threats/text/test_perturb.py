import numpy as np
import pytest
from support.sentences import RICH

import windtunnel as wt
from windtunnel.errors import DataError, UnknownNameError
from windtunnel.threats.text.perturb import perturbation_names

TEXTS = [RICH, "A film like no other.", ""]


@pytest.mark.parametrize("name", perturbation_names())
def test_severity_0_is_a_copy_and_higher_ones_leave_the_original_alone(name):
    given = list(TEXTS)
    unchanged = wt.perturb_text(given, name, 0)
    assert unchanged == given
    assert unchanged is not given
    assert wt.perturb_text(given, name, 5)[0] != given[0]
    assert given == TEXTS


def test_draws_are_keyed_by_seed_and_id_and_not_by_place():
    named = wt.perturb_text(TEXTS, "keyboard-typos", 3, ids=["a", "b", "c"])
    assert wt.perturb_text(TEXTS[::-1], "keyboard-typos", 3, ids=["c", "b", "a"]) == named[::-1]
    assert wt.perturb_text(TEXTS, "keyboard-typos", 3, seed=1, ids=["a", "b", "c"]) != named
    assert wt.perturb_text(TEXTS, "keyboard-typos", 3) == wt.perturb_text(tuple(TEXTS), "keyboard-typos", np.int64(3), ids=[0, 1, 2])


def test_nothing_to_perturb_is_nothing():
    assert wt.perturb_text([], "emoji", 3) == []
    assert wt.perturb_text([""], "emoji", 3) == [""]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("a film", r"texts are one string; expected a list of them"),
        (["a", None], "text 1 is a NoneType; expected a string"),
        ([b"a"], "text 0 is a bytes"),
    ],
)
def test_what_is_no_list_of_texts_is_refused(texts, message):
    with pytest.raises(DataError, match=message):
        wt.perturb_text(texts, "emoji", 1)


@pytest.mark.parametrize("severity", [-1, 6, 1.5, "3", True, None])
def test_other_severities_are_refused(severity):
    with pytest.raises(DataError, match=r"severity .* is not one of 0 \(unchanged\), 1, 2, 3, 4, 5"):
        wt.perturb_text(TEXTS, "emoji", severity)


@pytest.mark.parametrize("ids", [["a"], ["a", "a", "b"], ["a", "b", "c", "d"], []])
def test_ids_must_be_one_distinct_id_per_text(ids):
    with pytest.raises(DataError, match="3 texts need as many distinct ids"):
        wt.perturb_text(TEXTS, "emoji", 1, ids=ids)


@pytest.mark.parametrize("name", ["emojis", "fog", "worst-of", ""])
def test_unknown_perturbations_are_refused_with_the_choices(name):
    with pytest.raises(UnknownNameError, match=rf"Unknown perturbation '{name}'\. .*Choose from: added-punctuation, .*, emoji, .*, zero-width"):
        wt.perturb_text(TEXTS, name, 1)
