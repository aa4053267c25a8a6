"""Carrying out FedAvg: who has which samples, rounds of local training, and averages of states. Imports torch."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from windtunnel.core.network import Network
from windtunnel.core.recipe import Epoch, Finetuned, Finetuning
from windtunnel.recipes.continued import continuable
from windtunnel.recipes.order import validation_batches
from windtunnel.recipes.stages import carry_on, check_material
from windtunnel.recipes.training import State, snapshot
from windtunnel.seeding import generator, integer

if TYPE_CHECKING:
    from windtunnel.recipes.fedavg import FedAvg


def federated(recipe: FedAvg, work: Finetuning) -> Finetuned:
    """What the rounds leave."""
    check_material(work.train, work.val)
    client = continuable(recipe.client, recipe.use, "client")
    seed = work.seed if client.head_seed is None else client.head_seed
    network = Network(work.model, len(work.train.classes), dropout=client.dropout, seed=seed).to(work.device)
    held = spread(work.train.labels, recipe.clients, recipe.alpha, work.seed)
    curves: list[Epoch] = []
    best: tuple[float, int, State] = (-1.0, 0, {})
    for number in range(1, recipe.rounds + 1):
        states, losses, sizes = [], [], []
        for place in taking_part(recipe, work.seed, number):
            own = work.train.take(held[place])
            local = dataclasses.replace(
                work, train=own, val=own, seed=integer(work.seed, "fedavg", number, place), checkpoint=None, progress=lambda *_: None
            )
            done = carry_on(client, local, copy.deepcopy(network))
            states.append(done.last)
            losses.append(done.curves[-1].train_loss)
            sizes.append(len(own))
        network.load_state_dict(mean(states, sizes))
        accuracy = _accuracy(network.eval(), work)
        curves.append(Epoch("fedavg", number, float(np.average(losses, weights=sizes)), accuracy))
        if accuracy > best[0]:
            best = (accuracy, number, snapshot(network))
        work.progress(number, recipe.rounds)
    last = snapshot(network)
    network.load_state_dict(best[2])
    return Finetuned(network.eval(), best[2], last, best[1], tuple(curves), notes={"samples of each client": [len(rows) for rows in held]})


def spread(labels: np.ndarray, clients: int, alpha: float, seed: int) -> list[np.ndarray]:
    """The samples of each client, at least one: of each class shares drawn from a Dirichlet distribution."""
    draw = generator(seed, "fedavg-clients")
    held: list[list[int]] = [[] for _ in range(clients)]
    for label in np.unique(labels):
        rows = draw.permutation(np.flatnonzero(labels == label))
        ends = (np.cumsum(draw.dirichlet([alpha] * clients)) * len(rows)).round().astype(int)
        for place, part in enumerate(np.split(rows, ends[:-1])):
            held[place] += part.tolist()
    for empty in (each for each in held if not each):
        empty.append(max(held, key=len).pop())
    return [np.sort(np.array(rows)) for rows in held]


def taking_part(recipe: FedAvg, seed: int, number: int) -> list[int]:
    """The clients of a round."""
    count = max(1, math.ceil(recipe.fraction * recipe.clients))
    return sorted(generator(seed, "fedavg-round", number).permutation(recipe.clients)[:count].tolist())


def mean(states: Sequence[State], sizes: Sequence[int]) -> State:
    """The mean of states, weighted by sizes; whole numbers are those of the largest client."""
    shares = np.array(sizes) / sum(sizes)
    largest = states[int(np.argmax(sizes))]

    def one(name: str, like: Tensor) -> Tensor:
        if not like.is_floating_point():
            return like
        return sum((share * state[name].double() for share, state in zip(shares, states, strict=True)), torch.zeros(())).to(like.dtype)

    return {name: one(name, like) for name, like in largest.items()}


@torch.no_grad()
def _accuracy(network: Network, work: Finetuning) -> float:
    minibatches = validation_batches(work.val, work.device)()
    return sum(int((network(each.inputs).argmax(1) == each.labels).sum()) for each in minibatches) / len(work.val)
