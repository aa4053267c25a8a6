"""A training that is interrupted goes on as if it had not been, whatever its parts remember."""

from __future__ import annotations

import dataclasses

import pytest
from support.composed import Kept
from support.composing import Plain, equal, material
from support.telling import reading

import windtunnel as wt


def interrupted(recipe, work):
    """A training that stops after its second epoch, and another one that goes on from what it left."""
    kept = Kept()

    def stop(epoch, epochs):
        if epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recipe.finetune(dataclasses.replace(work(), checkpoint=kept, progress=stop))
    return recipe.finetune(dataclasses.replace(work(), checkpoint=kept))


RECIPES = {
    "free-at": {"epochs": 12, "replays": 3},
    "advprop": {"epochs": 4},
    "trades-awp": {"epochs": 4, "steps": 2},
    "asam": {"epochs": 4},
    "r-drop": {"epochs": 4},
    "feature-distance": {"epochs": 4},
    "stochastic-depth": {"epochs": 4},
}


@pytest.mark.parametrize("name", RECIPES)
def test_it_goes_on_to_the_same_bytes(name):
    source = Plain() if name == "stochastic-depth" else None
    recipe = wt.make_recipe(name, "image", batch=16, **RECIPES[name])
    whole, resumed = recipe.finetune(material(source)), interrupted(recipe, lambda: material(source))
    assert equal(whole.last, resumed.last)
    assert whole.curves == resumed.curves


@pytest.mark.parametrize("name", ["freelb", "smart"])
def test_it_goes_on_to_the_same_bytes_on_texts(name, tmp_path):
    recipe = wt.make_recipe(name, "text", batch=16, epochs=4)
    whole, resumed = recipe.finetune(reading(tmp_path)), interrupted(recipe, lambda: reading(tmp_path))
    assert equal(whole.last, resumed.last)
