"""Training all parameters on clean or augmented batches. Imports torch."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
from torch import Tensor, nn

from windtunnel.core.batch import Batch
from windtunnel.core.network import Network
from windtunnel.core.recipe import Finetuning
from windtunnel.recipes.augmix import consistency_loss, views
from windtunnel.recipes.supervised import Augmenting, Supervised
from windtunnel.recipes.training import Objective, Score, Stage, Trained, accuracy, dataset_batches, fit, steps_of


def train_whole(network: Network, work: Finetuning, recipe: Augmenting) -> Trained:
    """One stage over every parameter of `network`, selected by accuracy on the validation split."""
    backbone = list(network.backbone.parameters()) if recipe.l2_sp else []
    start = [parameter.detach().clone() for parameter in backbone]

    def plain(batch: Batch[Any], epoch: int) -> Tensor:
        return nn.functional.cross_entropy(network(batch.inputs), batch.labels, label_smoothing=recipe.label_smoothing)

    def augmix(batch: Batch, epoch: int) -> Tensor:
        first, second = views(batch, work.seed, epoch)
        return consistency_loss(network, batch, first, second, label_smoothing=recipe.label_smoothing)

    def drawn(batch: Batch[Any], epoch: int) -> Tensor:
        apart = torch.stack([(parameter - before).square().sum() for parameter, before in zip(backbone, start, strict=True)])
        return fitting(batch, epoch) + recipe.l2_sp / 2 * apart.sum()

    fitting = augmix if recipe.augment == "augmix" else plain
    stage = whole_stage(network, work, recipe, drawn if backbone else fitting)
    return fit(dataclasses.replace(stage, undecayed=backbone), recipe, work.seed)


def whole_stage(network: Network, work: Finetuning, recipe: Supervised, objective: Objective) -> Stage:
    """The stage in which all parameters of `network` move under `objective`."""
    for parameter in network.parameters():
        parameter.requires_grad_(True)
    return Stage(
        name="full",
        module=network,
        parameters=list(network.parameters()),
        batches=dataset_batches(network, work.train, recipe.batch, work.seed, work.device),
        steps=steps_of(len(work.train), recipe.batch),
        objective=objective,
        validate=lambda: Score(accuracy(network, work.val, work.device)),
        progress=work.progress,
    )
