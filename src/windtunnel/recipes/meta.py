"""Carrying out Reptile: the samples of each task, and the way that weights go. Imports torch."""

from __future__ import annotations

import copy
import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import torch

from windtunnel.core.network import Network
from windtunnel.core.recipe import Finetuned, Finetuning
from windtunnel.recipes.continued import continuable
from windtunnel.recipes.stages import carry_on, check_material
from windtunnel.seeding import generator, integer

if TYPE_CHECKING:
    from windtunnel.recipes.reptile import Reptile


def meta_learned(recipe: Reptile, work: Finetuning) -> Finetuned:
    """What fine-tuning from the meta-learned weights leaves."""
    check_material(work.train, work.val)
    task, then = continuable(recipe.task, recipe.use, "task"), continuable(recipe.then, recipe.use, "then")
    seed = work.seed if then.head_seed is None else then.head_seed
    network = Network(work.model, len(work.train.classes), dropout=then.dropout, seed=seed).to(work.device)
    for number in range(recipe.iterations if recipe.step else 0):
        own = work.train.take(samples(recipe, work.train.labels, work.seed, number))
        inner = dataclasses.replace(work, train=own, val=own, seed=integer(work.seed, "reptile", number), checkpoint=None, progress=lambda *_: None)
        done = carry_on(task, inner, copy.deepcopy(network))
        _move(network, done.last, recipe.step * (1 - number / recipe.iterations))
        work.progress(number + 1, recipe.iterations)
    return carry_on(then, work, network)


def samples(recipe: Reptile, labels: np.ndarray, seed: int, number: int) -> list[int]:
    """The rows of a task: some classes, and some samples of each."""
    draw = generator(seed, "reptile-task", number)
    classes = draw.permutation(np.unique(labels))[: recipe.ways]
    return [int(row) for label in classes for row in draw.permutation(np.flatnonzero(labels == label))[: recipe.shots]]


@torch.no_grad()
def _move(network: Network, there: dict[str, torch.Tensor], part: float) -> None:
    """A part of the way from where the weights are; batch statistics go along, and numbers are taken over."""
    for name, tensor in network.state_dict().items():
        goal = there[name].to(tensor.device)
        tensor.copy_(tensor.lerp(goal, part) if tensor.is_floating_point() else goal)
