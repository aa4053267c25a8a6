"""Cleaning of texts with a language model, from the data to the victim."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from windtunnel import make_recipe
from windtunnel.conditions.label_noise import LabelNoise
from windtunnel.core.dataset import Dataset
from windtunnel.core.network import Network
from windtunnel.core.recipe import Finetuning
from windtunnel.core.texts import Texts
from windtunnel.execution.workbench import features
from windtunnel.model_names import source

NOUNS = ("film", "movie", "story", "plot", "music", "actor", "end", "cast", "acting", "scene")
GOOD, BAD = ("good", "great", "fine", "lovely"), ("bad", "dull", "awful", "poor")
LINES = [(f"the {noun} was {word} and that is all there is", int(word in GOOD)) for noun in NOUNS for word in (*GOOD, *BAD)]


@pytest.fixture
def films() -> Finetuning:
    """Eighty sentences, some of whose labels are wrong, one of which is there again in capitals, and an empty one."""
    lines = [*LINES, (LINES[0][0].upper(), LINES[0][1]), ("", 0)]
    labels = np.array([label for _, label in lines], dtype=np.int64)
    right = Dataset("films[train]", ("bad", "good"), tuple(f"s{row}" for row in range(len(lines))), labels, Texts.of([text for text, _ in lines]))
    train = dataclasses.replace(LabelNoise(rate=0.15).apply(right, "train", 0), name="films[train]")
    model, cpu = source("windtunnel/micro-bert").load(), torch.device("cpu")
    return Finetuning(model, train, right.take(range(len(LINES))), 0, cpu, lambda data: features(Network(model, 1), data, cpu))


def test_texts_are_cleaned_of_empty_and_double_ones_and_of_wrong_labels(films) -> None:
    given = {"epochs": 30, "lr": 1e-2, "batch": 16, "select": "last"}
    cleaning = ["missing", {"use": "de-duplicate", "texts": 0.99, "conflicts": "first"}, "confident-learning"]
    done = make_recipe("linear-probe", "text", **given, clean=cleaning).finetune(films)
    empty, double, wrong = done.notes["cleaning"]
    assert empty["ids"] == ["s81"]
    assert double["ids"] == ["s80"]
    mistaken = {f"s{row}" for row, (_, label) in enumerate(LINES) if films.train.labels[row] != label}
    found = set(wrong["ids"])
    assert len(found & mistaken) > 0.7 * len(mistaken)
    assert len(found & mistaken) > 0.5 * len(found), "a share of 0.15 would be found by chance"
    plain = make_recipe("linear-probe", "text", **given).finetune(films)
    assert done.curves[-1].val_accuracy > plain.curves[-1].val_accuracy
