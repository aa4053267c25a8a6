"""Cleaning as a part of a recipe: on the training split alone, in order, told in the record, and part of the key."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from support.small import Stripes, Tiny
from support.toy_suite import benchmark, suite

from windtunnel import make_recipe
from windtunnel.conditions.label_noise import LabelNoise
from windtunnel.conditions.near_duplicates import NearDuplicates
from windtunnel.core.network import tensors_sha256
from windtunnel.core.runner import Runner
from windtunnel.errors import RecipeError
from windtunnel.execution.run import run
from windtunnel.execution.store import Store
from windtunnel.recipes.cleaned import cleaned


def equal(first: dict, second: dict) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("name", ["full", "linear-probe"])
def test_cleaning_that_finds_nothing_or_only_lists_changes_nothing_that_is_trained(name, work) -> None:
    given = {"epochs": 3, "batch": 16}
    plain = make_recipe(name, **given).finetune(work(noise=0.05))
    cleaning = ["missing", "de-duplicate", {"use": "confident-learning", "then": "list"}]
    done = make_recipe(name, **given, clean=cleaning).finetune(work(noise=0.05))
    assert equal(done.last, plain.last)
    assert equal(done.best, plain.best)
    assert plain.notes == {}
    assert [each["use"] for each in done.notes["cleaning"]] == ["missing", "de-duplicate", "confident-learning"]


@pytest.mark.parametrize("name", ["full", "linear-probe"])
@pytest.mark.parametrize("then", ["drop", "relabel"])
def test_what_is_trained_on_is_what_cleaning_left(name, then, work) -> None:
    """The same as training on data that somebody else had cleaned."""
    material = work(noise=0.05)
    material = dataclasses.replace(material, train=LabelNoise(rate=0.2).apply(material.train, "train", 0))
    recipe = make_recipe(name, epochs=3, batch=16, clean={"use": "confident-learning", "then": then})
    by_hand, notes = cleaned(recipe, material)
    assert notes["cleaning"][0]["relabelled" if then == "relabel" else "dropped"] > 5
    assert by_hand.val is material.val
    done = recipe.finetune(material)
    plain = dataclasses.replace(recipe, clean=())
    again = work(noise=0.05)  # a fine-tuning changes its model in place
    assert equal(done.last, plain.finetune(dataclasses.replace(again, train=by_hand.train)).last)
    assert not equal(done.last, plain.finetune(dataclasses.replace(work(), train=material.train)).last)


def test_cleanings_follow_each_other(work) -> None:
    material = work(noise=0.05)
    material = dataclasses.replace(material, train=NearDuplicates(share=0.3, conflicting=True).apply(material.train, "train", 0))
    done, notes = cleaned(make_recipe("full", clean=[{"use": "de-duplicate", "images": 0.999}, "confident-learning"]), material)
    first, second = notes["cleaning"]
    assert second["before"] == first["before"] - first["dropped"] < len(material.train)
    assert len(done.train) == second["before"] - second["dropped"]
    rows = [material.train.ids.index(name) for name in done.train.ids]
    assert torch.equal(done.features(done.train), material.features(material.train)[rows])
    assert torch.equal(done.features(done.val), material.features(material.val))


def test_data_that_cleaning_leaves_too_little_of_is_refused(work) -> None:
    material = work()
    rows = np.zeros(12, dtype=np.int64)
    same = material.train.take(rows, tuple(f"s{row}" for row in range(12)))
    same = dataclasses.replace(same, labels=np.arange(12) % 3)
    with pytest.raises(RecipeError, match="is empty"):
        make_recipe("full", clean="de-duplicate").finetune(dataclasses.replace(material, train=same))


def test_features_that_are_asked_for_cost_a_pass_but_once() -> None:
    plain, full = make_recipe("linear-probe"), make_recipe("full", epochs=2)
    assert make_recipe("confident-learning").passes(100) == plain.passes(100)
    assert make_recipe("full", epochs=2, clean="confident-learning").passes(100) == full.passes(100) + 100
    assert make_recipe("full", epochs=2, clean="de-duplicate").passes(100) == full.passes(100)


def test_recipes_that_go_on_from_trained_weights_refuse_to_clean() -> None:
    with pytest.raises((ValueError, RecipeError), match="cleans nothing"):
        make_recipe("fedavg", client={"use": "finetune", "clean": "de-duplicate"})


def test_what_was_cleaned_is_in_the_record_and_cells_share_features_without_mixing_them_up(work, tmp_path) -> None:
    given = {"epochs": 3, "batch": 20}
    noisy = {"noisy": LabelNoise(rate=0.2)}
    recipes = {
        "plain": make_recipe("linear-probe", **given),
        "dropping": make_recipe("confident-learning", **given),
        "relabelling": make_recipe("confident-learning", then="relabel", **given),
    }
    whole = suite(
        data=Stripes(noise=0.05), models={"tiny": Tiny()}, recipes=recipes, seeds=(0,), conditions=noisy, benchmarks=(benchmark(threats={}),)
    )
    together = run(whole, store=Store(tmp_path / "store"), runs=tmp_path / "runs", runner=Runner(workers=1))
    records = [json.loads(line) for line in (together.folder / "records.jsonl").read_text().splitlines()]
    found = {record["labels"]["recipe"]: record["facts"] for record in records if record["kind"] == "finetune"}
    assert "notes" not in found["plain @ noisy"]
    (told,) = found["dropping @ noisy"]["notes"]["cleaning"]
    assert told["use"] == "confident-learning"
    assert told["dropped"] == told["suspected"] == len(told["ids"]) > 5
    assert found["relabelling @ noisy"]["notes"]["cleaning"][0]["relabelled"] > 5
    splits = Stripes(noise=0.05).load()
    train, val = (noisy["noisy"].apply(splits[name], name, 0) for name in ("train", "val"))
    alone = recipes["relabelling"].finetune(dataclasses.replace(work(), train=train, val=val))
    assert tensors_sha256(alone.best) == found["relabelling @ noisy"]["victim_sha256"]
