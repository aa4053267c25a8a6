"""Training all parameters on the inputs that a threat of the registry finds. Imports torch."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor, nn

from windtunnel.builtins import THREATS
from windtunnel.core.batch import Batch
from windtunnel.core.dataset import Dataset
from windtunnel.core.network import Network
from windtunnel.core.recipe import Finetuning
from windtunnel.core.threat import Threat
from windtunnel.core.victim import Victim
from windtunnel.recipes.training import EVALUATION_BATCH, Score, Trained, accuracy, fit
from windtunnel.recipes.whole import whole_stage
from windtunnel.seeding import integer

if TYPE_CHECKING:
    from windtunnel.recipes.pgd_at import PgdAt


def train_adversarially(network: Network, work: Finetuning, recipe: PgdAt) -> Trained:
    """One stage on perturbed batches, selected by accuracy under the same threat on the validation split."""
    threat = training_threat(recipe)

    def objective(batch: Batch, epoch: int) -> Tensor:
        perturbed = attack(network, threat, batch, integer(work.seed, "adversarial", epoch))
        return nn.functional.cross_entropy(network(perturbed), batch.labels, label_smoothing=recipe.label_smoothing)

    def validate() -> Score:
        return Score(accuracy(network, work.val, work.device), robust_accuracy(network, threat, work.val, work))

    stage = dataclasses.replace(whole_stage(network, work, recipe, objective), validate=validate)
    return fit(stage, recipe, work.seed)


def training_threat(recipe: PgdAt) -> Threat:
    """The registered PGD with the recipe's radius and steps, from a random start."""
    step = recipe.step if recipe.step is not None else recipe.eps * 5 / (2 * recipe.steps)
    arguments = {"norm": recipe.norm, "eps": recipe.eps, "steps": recipe.steps, "step": step, "random_start": True, "stop_when_broken": False}
    return THREATS.load("pgd")(**arguments)


def attack(network: Network, threat: Threat, batch: Batch, seed: int) -> Tensor:
    """The threat's answer for every sample of `batch`; the network's mode and gradients are as before afterwards."""
    training = network.training
    victim = Victim(network.eval())
    try:
        with victim.frozen():
            perturbed = threat.perturb(victim, batch, threat.levels[-1], seed)
            assert isinstance(perturbed, Tensor), "PGD answers with images"
            return perturbed.detach()
    finally:
        network.train(training)


def robust_accuracy(network: Network, threat: Threat, data: Dataset, work: Finetuning) -> float:
    """Accuracy of `network` on `data` under the training threat; the same draws every epoch."""
    right = 0
    for start in range(0, len(data), EVALUATION_BATCH):
        batch = data.batch(np.arange(start, min(start + EVALUATION_BATCH, len(data))), work.device)
        perturbed = attack(network, threat, batch, integer(work.seed, "adversarial-validation"))
        right += int((Victim(network).logits(perturbed).argmax(1) == batch.labels).sum())
    return right / len(data)
