"""Sentences of which one word tells the class, and small language models that learn from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from support import language

from windtunnel.core.recipe import Finetuning
from windtunnel.datasets.text_table import TextTable
from windtunnel.models.transformers import TransformersModel

GOOD, BAD = ("good", "great", "fine", "lovely"), ("bad", "dull", "awful", "poor")
NOUNS = ("film", "movie", "story", "plot", "music", "actor")


def write(path: Path) -> Path:
    """Sentences of different length, as many of one class as of the other."""
    lines = []
    for row, noun in enumerate(NOUNS):
        for word in (*GOOD, *BAD):
            label = "good" if word in GOOD else "bad"
            lines.append({"text": f"the {noun} was {'very ' * (row % 4)}{word}", "label": label})
            lines.append({"text": f"a {'really ' * (row % 3)}{word} {noun}", "label": label})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def reading(folder: Path, kind: str = "distilbert", seed: int = 0, **config: Any) -> Finetuning:
    """What a recipe works on: a random language model, saved anew in `folder`."""
    language.save(folder / kind, kind, **config)
    splits = TextTable(path=str(write(folder / "films.jsonl"))).load()
    model = TransformersModel(name=str(folder / kind)).load()
    return Finetuning(model, splits["train"], splits["val"], seed, torch.device("cpu"), lambda part: torch.empty(0))
