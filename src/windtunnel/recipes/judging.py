"""Judging a network that is being trained, on the validation split. Imports torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from windtunnel.core.attempt import Attempted
from windtunnel.core.batch import Batch, Rows
from windtunnel.core.dataset import Dataset
from windtunnel.core.network import Network
from windtunnel.core.part import Fitting, Minibatch
from windtunnel.core.threat import Threat
from windtunnel.core.victim import Victim
from windtunnel.recipes.order import validation_batches
from windtunnel.seeding import integer


@torch.no_grad()
def accuracy(fitting: Fitting) -> float:
    """Share of the validation split that the network, in evaluation mode, classifies rightly."""
    right = 0
    for minibatch in fitting.validation():
        right += int((fitting.network(minibatch.inputs).argmax(1) == minibatch.labels).sum())
    return right / len(fitting.val)


def robust_accuracy(fitting: Fitting, threats: Sequence[Threat[Any]]) -> float:
    """The same under the worst of some threats, each at its largest level; the same draws after every epoch."""
    return standing(fitting.network, fitting.validation(), threats, integer(fitting.seed, "adversarial-validation")) / len(fitting.val)


def standing(network: Network, minibatches: Iterable[Minibatch], threats: Sequence[Threat[Any]], seed: int) -> int:
    """How many samples a network classifies rightly under every one of some threats."""
    right = 0
    for minibatch in minibatches:
        batch: Batch[Any] = Batch(minibatch.inputs, minibatch.labels, minibatch.ids)
        stands = torch.ones(len(batch), dtype=torch.bool, device=minibatch.labels.device)
        for threat in threats:
            perturbed = attacked(network, threat, batch, seed)
            stands &= Victim(network).logits(perturbed).argmax(1) == batch.labels
        right += int(stands.sum())
    return right


@dataclass(frozen=True)
class Measured:
    """How a network does on some data: share classified rightly, and mean cross-entropy."""

    accuracy: float
    loss: float


@torch.no_grad()
def measured(network: Network, data: Dataset, device: torch.device) -> Measured:
    """Figures of a network in evaluation mode on plain inputs."""
    right, loss = 0, 0.0
    for minibatch in validation_batches(data, device)():
        logits = network(minibatch.inputs)
        right += int((logits.argmax(1) == minibatch.labels).sum())
        loss += float(cross_entropy(logits, minibatch.labels, reduction="sum"))
    return Measured(right / len(data), loss / len(data))


def attacked(network: Network, threat: Threat[Any], batch: Batch[Any], seed: int) -> Rows:
    """The threat's answer for every sample of `batch`; the network's modes and gradients are as before afterwards."""
    with judged(network) as victim:
        found = threat.perturb(victim, batch, threat.levels[-1], seed)
    perturbed: Rows = found.inputs if isinstance(found, Attempted) else found
    return perturbed.detach() if isinstance(perturbed, torch.Tensor) else perturbed


@contextmanager
def judged(network: Network) -> Iterator[Victim]:
    """Inside, the network is in evaluation mode and no parameter collects a gradient; afterwards both are as before."""
    modes = [(module, module.training) for module in network.modules()]
    victim = Victim(network.eval())
    try:
        with victim.frozen():
            yield victim
    finally:
        for module, training in modes:
            module.training = training
