"""Missing values: too much is dropped, the rest filled in, and what is whole stays as it is."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from windtunnel import make_recipe
from windtunnel.conditions import missing as condition
from windtunnel.core.cleaning import Cleaned
from windtunnel.core.dataset import Dataset
from windtunnel.core.recipe import Finetuning
from windtunnel.core.texts import Texts
from windtunnel.errors import RecipeError
from windtunnel.recipes.cleaning.missing import Missing, from_neighbours


def data(store) -> Dataset:
    return Dataset("made[train]", ("a", "b"), tuple(f"s{row}" for row in range(len(store))), np.arange(len(store), dtype=np.int64) % 2, store)


def clean(train: Dataset, **arguments) -> Cleaned:
    return Missing(**arguments).clean(Finetuning(None, train, train.take([]), 0, torch.device("cpu"), lambda part: torch.zeros(len(part), 1)))


@pytest.mark.parametrize("fill", ["mean", "median", "neighbours"])
def test_holes_in_images_that_are_all_the_same_are_filled_with_what_was_there(fill) -> None:
    whole = np.full((20, 8, 8, 3), (90, 120, 30), dtype=np.uint8)
    holed = condition.Missing(share=0.3, patch=2, value=1).apply(data(whole), "train", 0)
    assert (holed.pixels() == 255).any()
    found = clean(holed, value=1, fill=fill)
    assert found.rewritten
    assert np.array_equal(found.data.pixels(), whole)
    assert np.array_equal(found.data.pixels([3, 1]), whole[:2])
    assert found.notes["mean missing share"] == round(5 / 16, 4)


def test_mean_and_median_are_of_the_present_values_at_the_place() -> None:
    images = np.array([10, 20, 90, 0], dtype=np.uint8).reshape(4, 1, 1, 1).repeat(2, axis=2)
    images[:, 0, 1] = 7
    assert clean(data(images), fill="median").data.pixels([3])[0, 0, :, 0].tolist() == [20, 7]
    assert clean(data(images), fill="mean").data.pixels([3])[0, 0, :, 0].tolist() == [40, 7]


def test_a_place_that_no_image_has_gets_what_images_have_elsewhere() -> None:
    images = np.full((2, 2, 2, 1), 50, dtype=np.uint8)
    images[:, 0, 0] = 0
    assert (clean(data(images)).data.pixels() == 50).all()


def test_neighbours_fill_a_hole_from_its_edge() -> None:
    row = np.array([10, 0, 0, 0, 50], dtype=np.uint8).reshape(1, 5, 1)
    # The outer two have one present neighbour each; the middle one then lies between 10 and 50.
    assert from_neighbours(row, row[..., 0] == 0)[0, :, 0].tolist() == [10, 10, 30, 50, 50]
    assert not from_neighbours(np.zeros((2, 2, 1), dtype=np.uint8), np.ones((2, 2), dtype=bool)).any()


def test_images_that_lack_too_much_are_dropped() -> None:
    images = np.full((3, 2, 2, 1), 9, dtype=np.uint8)
    images[1, 0], images[2, 0], images[2, 1, 0] = 0, 0, 0
    found = clean(data(images), most=0.5, fill="nothing")
    assert found.suspected == ("s2",)
    assert found.data.ids == ("s0", "s1")
    assert np.array_equal(found.data.pixels(), images[:2])
    assert not found.rewritten
    with pytest.raises(RecipeError, match="drop every sample"):
        clean(data(images[1:]), most=0.25)


def test_whole_images_stay_as_they_are() -> None:
    images = np.full((3, 2, 2, 3), (0, 0, 1), dtype=np.uint8)
    found = clean(data(images))
    assert found.suspected == ()
    assert not found.rewritten
    assert np.array_equal(found.data.pixels(), images)


def test_texts_of_hardly_any_words_are_dropped() -> None:
    texts = data(Texts.of(["a fine film", "", "  \n", "bad"]))
    assert clean(texts).suspected == ("s1", "s2")
    assert clean(texts, words=2).data.ids == ("s0",)
    gaps = condition.Missing(share=0.6).apply(texts, "train", 0)
    assert gaps.texts().rows[0][0].split() != ["a", "fine", "film"]
    with pytest.raises(RecipeError, match="drop every sample"):
        clean(gaps, words=2)


def test_a_probe_learns_from_the_filled_images_and_not_from_features_of_the_holed_ones(work) -> None:
    """Features are kept by id, and filled images have the ids of those with holes."""
    holed = condition.Missing(share=0.6, value=1)
    material = work(noise=0.05)
    frozen, kept = material.features, {}

    def features(data: Dataset) -> torch.Tensor:
        if data.ids not in kept:
            kept[data.ids] = frozen(data)
        return kept[data.ids]

    material = dataclasses.replace(material, train=holed.apply(material.train, "train", 0), features=features)
    given = {"epochs": 5, "batch": 16}
    plain = make_recipe("linear-probe", **given).finetune(material)
    filled = make_recipe("linear-probe", **given, clean={"use": "missing", "value": 1, "most": 1}).finetune(material)
    assert filled.notes["cleaning"][0]["dropped"] == 0
    by_hand = dataclasses.replace(material, train=Missing(value=1, most=1).clean(material).data, features=frozen)
    expected = make_recipe("linear-probe", **given).finetune(by_hand)
    assert torch.equal(filled.last["head.weight"], expected.last["head.weight"])
    assert not torch.equal(filled.last["head.weight"], plain.last["head.weight"])
