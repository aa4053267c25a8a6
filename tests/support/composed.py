"""Parts of recipes on their own: a stage to begin them in, and answers that no network had to give."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest
import torch
from support.small import Stripes, Tiny
from torch import Tensor

from windtunnel.core.dataset import Dataset
from windtunnel.core.network import Network
from windtunnel.core.part import Answer, Fitting, Minibatch
from windtunnel.core.recipe import Finetuned, Finetuning, Recipe
from windtunnel.recipes.order import validation_batches

CPU = torch.device("cpu")


def equal(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def largest_gap(first: dict[str, Tensor], second: dict[str, Tensor]) -> float:
    assert first.keys() == second.keys()
    return max(float((first[name].double() - second[name].double()).abs().max()) for name in first)


def of_counts(*counts: int) -> Dataset:
    """A training split in which the three classes of Stripes occur as often as said."""
    data = Stripes(count=3 * max(counts)).load()["train"]
    rows = [3 * place + label for label, count in enumerate(counts) for place in range(count)]
    return data.take(rows)


def fitting(train: Dataset | None = None, network: Network | None = None) -> Fitting:
    """A stage that is about to begin: one epoch of one step."""
    splits = Stripes().load()
    train = splits["train"] if train is None else train
    network = Network(Tiny().load(), len(train.classes)) if network is None else network
    origin = copy.deepcopy(network)
    validation = validation_batches(splits["val"], CPU)
    return Fitting(network, train, splits["val"], 0, CPU, "full", 1, 1, origin.state_dict(), validation, Tensor.backward, 1, origin=origin)


def minibatch(data: Dataset, rows: Sequence[int]) -> Minibatch:
    batch = data.batch(rows)
    return Minibatch(batch.inputs, batch.labels, batch.ids)


def answered(logits: Tensor, labels: Sequence[int], features: Tensor | None = None) -> tuple[Answer, Minibatch]:
    """Logits, and labels to compare them with; inputs are left out."""
    features = logits if features is None else features
    return Answer(logits, features), Minibatch(torch.zeros(len(logits), 1), torch.tensor(labels), tuple(str(row) for row in range(len(logits))))


@dataclass
class Kept:
    """A checkpoint in memory."""

    content: bytes | None = None

    def read(self) -> bytes | None:
        return self.content

    def due(self) -> bool:
        return True

    def write(self, content: bytes) -> None:
        self.content = content


def interrupted(recipe: Recipe, material: Callable[[], Finetuning], after: int) -> Finetuned:
    """What a training leaves that was stopped after some epochs, counted within a stage, and went on anew."""
    kept = Kept()

    def progress(epoch: int, epochs: int) -> None:
        if epoch == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recipe.finetune(replace(material(), checkpoint=kept, progress=progress))
    assert kept.content is not None
    return recipe.finetune(replace(material(), checkpoint=kept))
