"""References to data as they are written in files."""

import pytest

from windtunnel.datasets.reference import parse_reference
from windtunnel.errors import DataError


@pytest.mark.parametrize(
    ("text", "expected"),
    [("digits", ("digits", None)), ("digits[test]", ("digits", "test")), (" fashion-mnist[val] ", ("fashion-mnist", "val"))],
)
def test_a_reference_is_a_name_and_maybe_a_split(text, expected):
    assert parse_reference(text) == expected


@pytest.mark.parametrize("text", ["", "[test]", "digits[test", "digits]", "two words", "digits[test][val]"])
def test_anything_else_is_refused(text):
    with pytest.raises(DataError, match="does not name data; write a name"):
        parse_reference(text)


def test_an_unknown_split_is_refused_with_the_choices():
    with pytest.raises(DataError, match=r"'digits\[tset\]' asks for the split 'tset'. Did you mean 'test'"):
        parse_reference("digits[tset]")
