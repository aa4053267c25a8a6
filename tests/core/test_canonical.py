"""Canonical JSON: one text for one value."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windtunnel.core.canonical import dumps, fraction_text, plain, sha256

keys = st.text(max_size=5)
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers()
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=15,
)


@settings(deadline=None)
@given(values)
def test_the_text_reads_back_as_the_value(value: object) -> None:
    assert json.loads(dumps(value)) == value


@settings(deadline=None)
@given(st.dictionaries(keys, values, max_size=6), st.randoms())
def test_the_order_of_keys_does_not_matter(value: dict[str, object], draws) -> None:
    items = list(value.items())
    draws.shuffle(items)
    assert dumps(dict(items)) == dumps(value)


@settings(deadline=None)
@given(values)
def test_the_text_is_ascii_without_spaces_between_its_parts(value: object) -> None:
    text = dumps(value)
    assert text.isascii()
    assert dumps(json.loads(text)) == text


@settings(deadline=None)
@given(values, values)
def test_digests_are_equal_exactly_for_equal_texts(one: object, other: object) -> None:
    assert (sha256(one) == sha256(other)) == (dumps(one) == dumps(other))


def test_the_form_is_pinned_so_that_stored_keys_stay_valid() -> None:
    assert dumps({"b": (1, 2.5, None), "a": Fraction(8, 255), "ä": True}) == '{"a":"8/255","b":[1,2.5,null],"\\u00e4":true}'
    # printf '{"a":1}' | sha256sum
    assert sha256({"a": 1}) == "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(8, 255), "8/255"),
        (Fraction(2, 255), "2/255"),
        (Fraction(1, 51), "5/255"),
        (Fraction(1, 2), "1/2"),
        (Fraction(3), "3"),
        (Fraction(0), "0"),
        (Fraction(1), "1"),
        (Fraction(3, 100), "3/100"),
    ],
)
def test_radii_are_written_as_the_field_writes_them(value: Fraction, text: str) -> None:
    assert fraction_text(value) == text


@settings(deadline=None)
@given(st.fractions(min_value=0))
def test_a_radius_reads_back_exactly(value: Fraction) -> None:
    assert Fraction(fraction_text(value)) == value


@pytest.mark.parametrize("value", [float("nan"), {"a": [float("nan")]}])
def test_nan_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="NaN has no canonical form"):
        dumps(value)


@pytest.mark.parametrize("value", [float("inf"), -float("inf")])
def test_infinity_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        dumps(value)


@pytest.mark.parametrize("value", [{1, 2}, b"x", object(), 1j])
def test_what_json_does_not_know_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match=f"{type(value).__name__} has no canonical form"):
        plain(value)
