"""Averages, soups and searches of language models, which have no batch norms and read batches of like length."""

from __future__ import annotations

import json

import pytest
import torch
from support import language
from support.members import equal

import windtunnel as wt
from windtunnel import make_recipe
from windtunnel.datasets.text_table import TextTable
from windtunnel.model_names import source
from windtunnel.recipes.pretrained import Pretrained

GOOD, BAD = ("good", "great", "fine", "lovely"), ("bad", "dull", "awful", "poor")
QUICK = {"epochs": 12, "lr": 3e-3, "batch": 8}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    language.save(folder / "bert", whole=True, num_labels=2)
    lines = [
        {"text": f"the {noun} was {'very ' * (row % 4)}{word}", "label": "good" if word in GOOD else "bad"}
        for row, noun in enumerate(("film", "movie", "story", "plot", "music", "actor", "end", "day", "acting", "i", "we", "it"))
        for word in (*GOOD, *BAD)
    ]
    (folder / "films.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("swa", QUICK),
        ("wise-ft", {"of": {"use": "full", **QUICK}, "alpha": 0.75, "start": {"batch": 16}}),
        ("greedy-soup", {"of": {"use": "full", **QUICK}, "seeds": 2}),
        ("tuned-full", {"of": {"use": "full", **QUICK}, "space": {"lr": [1e-6, 3e-3]}}),
    ],
)
def test_each_learns_on_texts(place, name, arguments):
    victim = wt.finetune(str(place / "bert"), name, TextTable(path=str(place / "films.jsonl")), device="cpu", **arguments)
    batch = wt.load_data("text-table", path=str(place / "films.jsonl"))
    assert float((victim.logits(batch.inputs).argmax(1) == batch.labels).float().mean()) > 0.8


def test_a_model_with_a_classifier_of_its_own_is_the_zero_shot_end(place):
    recipe = make_recipe("wise-ft", "text", start=Pretrained(), of={"use": "full", **QUICK}, alpha=0.0)
    victim = wt.finetune(str(place / "bert"), recipe, TextTable(path=str(place / "films.jsonl")), device="cpu")
    head = source(str(place / "bert")).load().head
    assert torch.equal(victim.module.head.weight, head.weight)
    plain = wt.finetune(str(place / "bert"), "pretrained", TextTable(path=str(place / "films.jsonl")), device="cpu")
    assert equal(dict(victim.module.state_dict()), dict(plain.module.state_dict()))
