import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.core.texts import Texts, changed_words
from windtunnel.errors import DataError

PAIRS = Texts.of([("a man sleeps", "he is awake"), ("it rains", "it is wet")], ("premise", "hypothesis"), ("hypothesis",))


def test_plain_strings_are_single_texts_and_tuples_are_fields():
    assert Texts.of(["a", "b"]).rows == (("a",), ("b",))
    assert Texts.of(["a", "b"]).fields == Texts.of(["a", "b"]).open == ("text",)
    assert Texts.of([("a", "b")]).fields == ("first", "second")
    assert Texts.of(["a"]).plain() == ["a"]
    assert PAIRS.plain() == [("a man sleeps", "he is awake"), ("it rains", "it is wet")]


def test_samples_are_taken_like_those_of_a_tensor():
    texts = Texts.of(["a", "b", "c"])
    assert texts[[2, 0]].plain() == ["c", "a"]
    assert texts[np.array([1])].plain() == ["b"]
    assert texts[1:].plain() == ["b", "c"]
    assert texts.put([2, 0], Texts.of(["z", "x"])).plain() == ["x", "b", "z"]


def test_only_open_fields_are_rewritten():
    changed = PAIRS.rewrite(lambda row, text: f"{row} {text.upper()}")
    assert changed.rows == (("a man sleeps", "0 HE IS AWAKE"), ("it rains", "1 IT IS WET"))
    assert changed.open == ("hypothesis",)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Texts((("a",), ("a", "b"))), "Text 1 has 2 fields; expected 1: text"),
        (lambda: Texts.of(["a"], open=("title",)), "no field 'title' to change; the texts have text"),
        (lambda: Texts((), fields=("a", "a")), "each of another name"),
    ],
)
def test_rows_and_fields_must_agree(make, message):
    with pytest.raises(DataError, match=message):
        make()


def by_table(first, second):
    """The textbook recurrence of the edit distance."""
    row = list(range(len(second) + 1))
    for i, left in enumerate(first, 1):
        above, row[0] = row[0], i
        for j, right in enumerate(second, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (left != right))
    return row[-1]


WORDS = st.lists(st.sampled_from("abc"), max_size=12)


@given(WORDS, WORDS)
def test_changed_words_are_the_edit_distance_over_words(first, second):
    assert changed_words(" ".join(first), "  ".join(second)) == by_table(first, second)


def test_white_space_alone_changes_no_word_and_long_texts_are_measured_exactly():
    assert changed_words("a b", " a\tb \n") == 0
    words = [f"w{place % 977}" for place in range(20_000)]
    shifted = ["x", *words[1:9_000], *words[9_001:], "y"]
    assert changed_words(" ".join(words), " ".join(shifted)) == 3
