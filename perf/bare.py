"""Training loops as a user would write them in plain PyTorch, given the same hyper-parameters and batches as a recipe. Imports torch."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from itertools import count

import torch
from torch import Tensor, nn

from perf.material import SEED, Tensors
from windtunnel.core.network import Network
from windtunnel.core.recipe import Finetuning
from windtunnel.recipes.optimizer import schedule
from windtunnel.recipes.order import order, steps_of
from windtunnel.recipes.supervised import Supervised

CHUNK = 256
"""Samples at once when only answers are wanted; the same as in recipes."""


def train_head(work: Finetuning, recipe: Supervised, train: Tensors, val: Tensors) -> Network:
    """Train a new head through the frozen backbone, which sees every batch of every epoch and the validation split after each."""
    network = Network(work.model, len(work.train.classes), seed=SEED)
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    network.head.requires_grad_(True)
    return _train(network, network.head, recipe, train, val)


def train_all(work: Finetuning, recipe: Supervised, train: Tensors, val: Tensors) -> Network:
    """Train backbone and new head together."""
    network = Network(work.model, len(work.train.classes), seed=SEED)
    for parameter in network.parameters():
        parameter.requires_grad_(True)
    return _train(network, network, recipe, train, val)


def _train(network: Network, moving: nn.Module, recipe: Supervised, train: Tensors, val: Tensors) -> Network:
    """Train `moving`, a part of `network`; the rest stays in evaluation mode. Returns the epoch that is best on `val`."""
    optimizer = torch.optim.AdamW(moving.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay)
    factor = schedule(recipe, steps_of(len(train.labels), recipe.batch) * recipe.epochs)
    best, best_state, step = -1.0, moving.state_dict(), count()
    for epoch in range(1, recipe.epochs + 1):
        moving.train()
        for rows in order(len(train.labels), recipe.batch, SEED, epoch):
            place = torch.from_numpy(rows)
            optimizer.param_groups[0]["lr"] = recipe.lr * factor(next(step))
            loss = nn.functional.cross_entropy(network(train.inputs[place]), train.labels[place])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]  # torch does not annotate it
            optimizer.step()
        network.eval()
        score = accuracy(network, val)
        if score > best:
            best, best_state = score, copy.deepcopy(moving.state_dict())
    moving.load_state_dict(best_state)
    return network


def accuracy(network: nn.Module, data: Tensors) -> float:
    """Share of `data` that a network in evaluation mode classifies rightly."""
    return float((answers(network, torch.split(data.inputs, CHUNK)) == data.labels).double().mean())


@torch.no_grad()
def answers(network: nn.Module, pieces: Iterable[Tensor]) -> Tensor:
    """Predicted classes, (n,)."""
    return torch.cat([network(piece).argmax(1) for piece in pieces])
