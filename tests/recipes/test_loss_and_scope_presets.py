"""Presets of losses and of scopes: each trains, on images and on texts, and is what its name says."""

from __future__ import annotations

import json

import pytest
import torch
from support import language
from support.composed import CPU, equal
from support.stack import stacked

import windtunnel as wt
from windtunnel.core.network import Network
from windtunnel.core.recipe import Finetuning
from windtunnel.datasets.text_table import TextTable
from windtunnel.execution.workbench import features
from windtunnel.models.transformers import TransformersModel

LOSSES = {
    "focal": "focal",
    "class-balanced": "class-balanced",
    "logit-adjusted": "logit-adjusted",
    "gce": "generalised-cross-entropy",
    "sce": "symmetric-cross-entropy",
    "distillation": "distillation",
    "group-dro": "group-dro",
    "supcon": "supervised-contrastive",
    "label-smoothing": "cross-entropy",
}
SCOPES = {
    "bitfit": "biases",
    "norm-tuning": "norms",
    "surgical": "first-blocks",
    "last-block": "last-blocks",
    "gradual-unfreezing": "gradual",
    "layer-decay": "full",
    "adapters": "adapters",
}
PRESETS = [*LOSSES, *SCOPES]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_the_part_that_its_name_says(name):
    for modality in ("image", "text"):
        made = wt.make_recipe(name, modality)
        assert made.loss.use == LOSSES.get(name, "cross-entropy")
        assert made.scope.use == SCOPES.get(name, "full")


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_learns_on_images(name):
    done = wt.make_recipe(name, "image", batch=20).finetune(stacked())
    assert max(epoch.val_accuracy for epoch in done.curves) > 0.8


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    language.save(folder / "bert")
    rows = [
        (f"the {noun} was {word}", word in ("good", "great"))
        for noun in ("film", "plot", "music", "end")
        for word in ("good", "great", "bad", "dull")
    ]
    rows += [(f"{start} {text}", good) for start in ("so", "it is") for text, good in rows]
    lines = [json.dumps({"text": text, "label": "good" if good else "bad"}) + "\n" for text, good in rows]
    (folder / "films.jsonl").write_text("".join(lines))
    return folder


def material(place) -> Finetuning:
    splits, model = TextTable(path=str(place / "films.jsonl")).load(), TransformersModel(name=str(place / "bert")).load()
    return Finetuning(model, splits["train"], splits["val"], 0, CPU, lambda data: features(Network(model, 1), data, CPU))


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_trains_on_texts_and_a_run_repeated_gives_the_same_bytes(name, place):
    recipe = wt.make_recipe(name, "text", batch=8, epochs=2)
    first, second = recipe.finetune(material(place)), recipe.finetune(material(place))
    assert equal(first.last, second.last)
    assert first.curves == second.curves
    assert all(torch.isfinite(tensor).all() for tensor in first.last.values())
    assert not torch.equal(first.last["head.weight"], Network(material(place).model, 2).head.weight)


def test_checkpointing_a_language_model_changes_no_byte(place):
    plain, saved = (wt.make_recipe("full", "text", epochs=2, checkpointing=on).finetune(material(place)).last for on in (False, True))
    assert equal(plain, saved)


def test_short_names_reach_the_arguments_of_parts():
    assert wt.make_recipe("focal", gamma=5).loss.gamma == 5
    assert wt.make_recipe("class-balanced", beta=0.9, label_smoothing=0.1).loss.loss.label_smoothing == 0.1
    assert wt.make_recipe("group-dro", step=0.1, adjustment=2).loss.adjustment == 2
    assert wt.make_recipe("surgical", blocks=2).scope.blocks == 2
    assert wt.make_recipe("adapters", width=4).scope.width == 4
    assert wt.make_recipe("layer-decay", decay=0.5).layer_decay == 0.5
