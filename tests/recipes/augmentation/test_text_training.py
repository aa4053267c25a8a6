"""Training on texts with every augmentation that texts can take, with a tiny BERT."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support import language

from windtunnel import make_recipe
from windtunnel.catalog import Catalog
from windtunnel.core.dataset import Dataset
from windtunnel.core.recipe import Finetuning
from windtunnel.core.texts import Texts
from windtunnel.language.wordnet import find_wordnet
from windtunnel.models.transformers import TransformersModel
from windtunnel.specs import load_preset

GOOD, BAD = ("good", "great", "fine", "lovely"), ("bad", "dull", "awful", "poor")
NOUNS = ("film", "movie", "story", "plot", "music", "actor")
QUICK = {"epochs": 25, "batch": 16, "lr": 3e-3}
NAMES = ("typo-training", "word-dropout", "synonym-training", "eda", "embedding-mixup")
NEEDING = [pytest.param(name, marks=pytest.mark.skipif(find_wordnet() is None, reason="needs WordNet")) for name in NAMES]


def data(name: str) -> Dataset:
    """Sentences whose one telling word decides."""
    rows = [(f"the {noun} was very {word} and so {word}", int(word in GOOD)) for noun in NOUNS for word in (*GOOD, *BAD)]
    texts, labels = zip(*rows, strict=True)
    return Dataset(name, ("bad", "good"), tuple(f"{name}{row}" for row in range(len(rows))), np.array(labels), Texts.of(texts))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("bert")
    language.save(place)
    return place


def finetuned(name: str, folder, **arguments):
    model = TransformersModel(name=str(folder)).load()
    work = Finetuning(model, data("train"), data("val"), 0, torch.device("cpu"), lambda part: torch.empty(0))
    return make_recipe(name, "text", **QUICK | arguments).finetune(work)


def equal(first: dict, second: dict) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("name", NEEDING)
def test_a_preset_for_texts_learns_repeats_and_is_nothing_without_its_chance(name, folder):
    done = finetuned(name, folder)
    assert done.curves[done.best_epoch - 1].val_accuracy > 0.9
    short = {"epochs": 2}
    first, again, plain = finetuned(name, folder, **short), finetuned(name, folder, **short), finetuned("full", folder, **short)
    assert equal(first.last, again.last)
    assert not equal(first.last, plain.last)
    assert equal(finetuned(name, folder, p=0, **short).last, plain.last)


def test_presets_say_what_they_train_on():
    found = {name: load_preset(name, Catalog()).modalities for name in (*NAMES, "augmix", "mixup", "cutmix", "corruption-training", "flip-crop")}
    assert found.pop("embedding-mixup") == ("image", "text")
    assert {name for name, modalities in found.items() if modalities == ("text",)} == set(NAMES) - {"embedding-mixup"}
    assert all(len(modalities) == 1 for modalities in found.values())
