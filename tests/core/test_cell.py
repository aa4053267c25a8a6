"""Cells: the key depends on everything meant to change the number, and on nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windtunnel.core import canonical, cell
from windtunnel.core.cell import Cell, Labels

LABELS = Labels("net", "full", 0, "linf", "pgd", "attack")
CONTENT = {
    "weights": "ab" * 32,
    "recipe": {"use": "full", "version": 1, "arguments": {"epochs": 3, "lr": 0.001}},
    "data": {"fingerprint": "cd" * 32, "ids": ["a", "b"]},
    "threat": {"use": "pgd", "version": 1, "arguments": {"eps": ["2/255", "8/255"], "steps": 20}},
    "seed": 0,
    "precision": "float32",
    "libraries": {"torch": "2.14.0"},
}


def evaluate(content: Any, labels: Labels = LABELS, passes: float = 1.0, needs: str = "") -> Cell:
    return Cell("evaluate", labels, content, passes, needs)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in leaves(item, (*path, key))]
    if isinstance(value, list):
        return [leaf for index, item in enumerate(value) for leaf in leaves(item, (*path, index))]
    return [path]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    if isinstance(value, dict):
        return {key: replaced(item, path[1:], new) if key == path[0] else item for key, item in value.items()}
    return [replaced(item, path[1:], new) if index == path[0] else item for index, item in enumerate(value)]


@pytest.mark.parametrize("path", leaves(CONTENT), ids=lambda path: ".".join(map(str, path)))
def test_every_single_value_of_the_content_changes_the_key(path: tuple[Any, ...]) -> None:
    assert evaluate(replaced(CONTENT, path, "another")).key != evaluate(CONTENT).key


@pytest.mark.parametrize("name", list(CONTENT))
def test_a_missing_component_changes_the_key(name: str) -> None:
    assert evaluate({key: value for key, value in CONTENT.items() if key != name}).key != evaluate(CONTENT).key


def test_the_order_of_samples_is_part_of_the_key() -> None:
    assert evaluate(replaced(CONTENT, ("data", "ids"), ["b", "a"])).key != evaluate(CONTENT).key


def test_the_order_of_components_is_not() -> None:
    assert evaluate(dict(reversed(CONTENT.items()))).key == evaluate(CONTENT).key


@settings(deadline=None)
@given(st.builds(Labels, st.text(), st.text(), st.integers(), st.text(), st.text(), st.text()), st.floats(allow_nan=False), st.text())
def test_what_a_cell_is_called_and_costs_is_not_in_the_key(labels: Labels, passes: float, needs: str) -> None:
    assert evaluate(CONTENT, labels, passes, needs).key == evaluate(CONTENT).key


def test_kinds_have_keys_apart() -> None:
    assert Cell("finetune", LABELS, CONTENT, 1.0).key != evaluate(CONTENT).key


def test_the_key_is_the_digest_of_the_canonical_content() -> None:
    assert evaluate({"a": 1}).key == canonical.sha256({"key_version": cell.KEY_VERSION, "kind": "evaluate", "a": 1})


def test_another_key_version_is_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = evaluate(CONTENT).key
    monkeypatch.setattr(cell, "KEY_VERSION", cell.KEY_VERSION + 1)
    assert evaluate(CONTENT).key != before


def test_a_cell_of_unknown_content_has_no_key_yet() -> None:
    assert evaluate(None).key == ""


def test_labels_read_as_one_line_without_empty_parts() -> None:
    assert str(LABELS) == "net · full · seed 0 · linf · pgd"
    assert str(Labels("net", "full", 1)) == "net · full · seed 1"
