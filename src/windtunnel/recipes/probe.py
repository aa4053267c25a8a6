"""Training a linear head on features computed once. Imports torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from windtunnel.core.batch import Batch
from windtunnel.core.network import Network
from windtunnel.core.recipe import Finetuning
from windtunnel.recipes.supervised import Supervised
from windtunnel.recipes.training import Score, Stage, Trained, fit, order, steps_of


@dataclass(frozen=True)
class _Features:
    """Frozen features of one split, on the training device."""

    inputs: Tensor
    labels: Tensor
    ids: tuple[str, ...]


class _Head(nn.Module):
    """Dropout and the linear layer of a network, as one module over features."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.dropout = network.dropout
        self.linear = network.head

    def forward(self, features: Tensor) -> Tensor:
        logits: Tensor = self.linear(self.dropout(features))
        return logits


def probe(network: Network, work: Finetuning, recipe: Supervised) -> Trained:
    """Train the head of `network`, whose backbone stays frozen and in evaluation mode.

    The states returned are those of the head alone; the network is left with the best.
    """
    train, val = (
        _Features(work.features(data).to(work.device), torch.from_numpy(data.labels).to(work.device), data.ids) for data in (work.train, work.val)
    )
    head = _Head(network)

    def batches(epoch: int) -> Iterator[Batch]:
        for rows in order(len(train.ids), recipe.batch, work.seed, epoch):
            place = torch.from_numpy(rows).to(work.device)
            yield Batch(train.inputs[place], train.labels[place], tuple(train.ids[row] for row in rows))

    def objective(batch: Batch, epoch: int) -> Tensor:
        return nn.functional.cross_entropy(head(batch.inputs), batch.labels, label_smoothing=recipe.label_smoothing)

    @torch.no_grad()
    def validate() -> Score:
        return Score(float((head(val.inputs).argmax(1) == val.labels).double().mean()))

    steps = steps_of(len(train.ids), recipe.batch)
    stage = Stage("probe", head, list(network.head.parameters()), batches, steps, objective, validate, work.progress)
    return fit(stage, recipe, work.seed)
