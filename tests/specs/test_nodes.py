"""YAML files as trees: what is read, and everything that is refused before any of it means something."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windtunnel.errors import CatalogError, Problem
from windtunnel.specs.nodes import LARGEST_FILE, parse, read


def problems(text: str | bytes) -> list[Problem]:
    found: list[Problem] = []
    parse(text if isinstance(text, bytes) else text.encode(), "a.yaml", found)
    return found


def only(text: str | bytes) -> tuple[int, int, str]:
    [problem] = problems(text)
    return problem.line, problem.column, problem.message


def plain(text: str) -> object:
    found: list[Problem] = []
    _, root = parse(text.encode(), "a.yaml", found)
    assert not found
    assert root is not None
    return root.plain()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("1:30", "1:30"),
        ("2026-11-22", "2026-11-22"),
        ("8/255", "8/255"),
        ("1e-3", 0.001),
        ("1.5", 1.5),
        ("-3", -3),
        ("007", 7),
        ("true", True),
        ("~", None),
        ("'3'", "3"),
        (".nan", ".nan"),
        ("{a: , b: [1, x]}", {"a": None, "b": [1, "x"]}),
        ("a: &x [1]\nb: *x", {"a": [1], "b": [1]}),
        ("!!str 5", "5"),
    ],
)
def test_scalars_are_read_by_the_rules_of_yaml_1_2(text: str, value: object) -> None:
    assert plain(text) == value
    assert type(plain(text)) is type(value)


def test_every_value_and_key_knows_its_line_and_column() -> None:
    found: list[Problem] = []
    _, root = parse(b"a: 1\nlist:\n  - x\n  - {k: v}\n", "a.yaml", found)
    assert root is not None
    entries = root.value
    assert isinstance(entries, dict)
    assert (root.keys["list"].line, root.keys["list"].column) == (2, 1)
    inner = entries["list"].value[1]
    assert (inner.place.line, inner.place.column) == (4, 5)
    assert (inner.value["k"].place.line, inner.value["k"].place.column) == (4, 9)


def test_a_syntax_error_is_placed_where_the_file_breaks_off() -> None:
    line, column, message = only("a: [1, 2\nb: 3\n")
    assert (line, column) == (2, 2)
    assert message.startswith("This is not valid YAML: while parsing a flow sequence")


def test_a_tab_as_indentation_is_named() -> None:
    line, column, message = only("a:\n\t- 1\n")
    assert (line, column) == (2, 1)
    assert "Indent with spaces" in message


def test_brackets_in_unquoted_text_inside_braces_get_a_hint_to_quote_them() -> None:
    line, column, message = only("a: {use: shift, data: mnist5k[test]}")
    assert (line, column) == (1, 30)
    assert 'quote text that holds brackets: "digits[test]"' in message


def test_a_key_given_twice_is_reported_with_the_line_of_the_first() -> None:
    assert only("a: 1\nb: 2\na: 3\n") == (3, 1, "The key 'a' is given twice, first in line 1. Keep one.")


def test_merge_keys_are_refused_in_so_many_words() -> None:
    assert only("a: &x {k: 1}\nb: {<<: *x}\n")[:2] == (2, 5)


def test_a_list_as_key_is_refused() -> None:
    line, column, message = only("? [a, b]\n: 1\n")
    assert (line, column) == (1, 3)
    assert message.startswith("A key is text")


@pytest.mark.parametrize(
    ("tag", "shown"),
    [
        ("!!python/object/apply:os.system", "!!python/object/apply:os.system"),
        ("!!python/name:os.system", "!!python/name:os.system"),
        ("!run", "!run"),
        ("!!binary", "!!binary"),
    ],
)
def test_tags_that_would_make_more_than_plain_values_are_refused(tag: str, shown: str) -> None:
    line, column, message = only(f"a: 1\nb: {tag} ['true']" if "apply" in tag else f"a: 1\nb: {tag} x")
    assert (line, column) == (2, 4)
    assert message == f"The tag {shown!r} is not allowed: a file holds plain values and never runs code. Remove the tag."


def test_a_bomb_of_nested_aliases_is_refused_without_being_unfolded() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 20)]
    line, column, message = only("\n".join(lines))
    assert (line, column) == (1, 1)
    assert "more than 20,000 values" in message


def test_a_value_that_contains_itself_is_refused() -> None:
    line, column, message = only("a: &a [1, *a]")
    assert (line, column) == (1, 4)
    assert "contains itself" in message


def test_deep_nesting_is_refused_before_it_exhausts_the_stack() -> None:
    line, column, message = only("[" * 5000)
    assert line == 1
    assert column == 33
    assert "nested deeper than 32 levels" in message


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("", 1, 1, "The file is empty."),
        ("# nothing but a comment\n", 1, 1, "The file is empty."),
        (b"a: b\nc: \xff\n", 2, 4, "Byte 0xff is not UTF-8. Save the file with the encoding UTF-8."),
        ("a: b\nc: \x07\n", 2, 4, "Character U+0007 may not stand in a YAML file. Remove it."),
        ("a: 1e999", 1, 4, "'1e999' is not a number that can be used here."),
        ("a: !!int abc", 1, 4, "'abc' is not a number that can be used here."),
        ("a: !!bool abc", 1, 4, "'abc' is not a truth value (true or false)."),
        ("a: " + "9" * 5000, 1, 4, f"'{'9' * 40}...' is not a number that can be used here."),
    ],
)
def test_what_cannot_be_read_is_placed_and_explained(text: str | bytes, line: int, column: int, message: str) -> None:
    assert only(text) == (line, column, message)


def test_two_documents_in_one_file_are_refused() -> None:
    line, column, message = only("a: 1\n---\nb: 2\n")
    assert (line, column) == (2, 1)
    assert "expected a single document" in message


def test_a_huge_file_is_refused_unread() -> None:
    assert only(b"a" * (LARGEST_FILE + 1))[2].startswith("The file has 1,000,001 bytes; at most 1,000,000 are read.")


def test_the_offending_line_is_shown_with_a_mark_below_it() -> None:
    [problem] = problems("a: 1\n  \nlist: [x, !run y]\n")
    assert str(problem).splitlines()[1:] == ["    list: [x, !run y]", "              ^"]


def test_several_problems_of_one_file_are_found_together() -> None:
    found = problems("a: !x 1\nb: 1\nb: !y 2\nc: 1e999\n")
    assert [(each.line, each.column) for each in found] == [(1, 4), (3, 1), (4, 4)]


def test_a_missing_file_is_an_error_of_the_catalogue(tmp_path) -> None:
    with pytest.raises(CatalogError, match=r"shown\.yaml cannot be read: No such file"):
        read(tmp_path / "none.yaml", "shown.yaml", [])


@settings(deadline=None)
@given(st.text() | st.text(alphabet="[]{}&*!:-,?|> \n\tab1\"'#"))
def test_any_text_gives_a_tree_or_problems_that_lie_in_the_file(text: str) -> None:
    found: list[Problem] = []
    content = text.encode("utf-8", errors="surrogatepass")
    document, root = parse(content, "a.yaml", found)
    assert (root is None) <= bool(found)
    for problem in found:
        assert problem.line >= 1
        assert problem.column >= 1
        assert problem.line <= len(document.lines) + 1 or not document.lines


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_give_a_tree_or_problems(content: bytes) -> None:
    found: list[Problem] = []
    _, root = parse(content, "a.yaml", found)
    assert (root is None) <= bool(found)
