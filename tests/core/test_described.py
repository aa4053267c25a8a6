"""Descriptions as a person writes them."""

from __future__ import annotations

from windtunnel import make_recipe
from windtunnel.core.configured import brief


def test_descriptions_become_names_and_mappings_at_any_depth() -> None:
    found = brief(make_recipe("wise-ft").describe()["arguments"])
    assert found["alpha"] == 0.5
    assert next(iter(found["of"])) == "use", "the name goes first"
    assert found["of"]["scope"] == "full"
    assert found["start"]["scope"] == "head"
    assert found["of"]["loss"] == {"use": "cross-entropy", "label_smoothing": 0.0}


def test_plain_data_stays_as_it_is() -> None:
    assert brief({"use": "x", "y": [1, {"z": None}]}) == {"use": "x", "y": [1, {"z": None}]}


def test_what_is_within_and_its_packages_are_found_through_recipes() -> None:
    recipe = make_recipe("greedy-soup", of=[make_recipe("wise-ft"), make_recipe("full", augment="augmix")])
    assert [each.use for each in recipe.within()].count("finetune") == 3
    assert set(make_recipe("full", augment="augmix").packages()) <= set(recipe.packages())
