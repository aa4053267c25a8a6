"""Batch statistics of averaged weights, which no network has seen while it trained. Imports torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from windtunnel.core.dataset import Dataset
from windtunnel.core.network import Network
from windtunnel.recipes.order import EVALUATION_BATCH, training_batches


def moving_norms(network: Network) -> tuple[_BatchNorm, ...]:
    """The batch norms whose statistics training moves."""
    return tuple(norm for norm in _norms(network).values() if norm.training)


def differing_norms(network: Network, states: Sequence[Mapping[str, Tensor]]) -> tuple[_BatchNorm, ...]:
    """The batch norms whose statistics are not the same in all of some states of the network."""
    names = {name: [f"{name}.running_mean", f"{name}.running_var"] for name in _norms(network)}
    moved = [name for name, held in names.items() if any(not torch.equal(state[each], states[0][each]) for each in held for state in states)]
    return tuple(_norms(network)[name] for name in moved)


@torch.no_grad()
def refresh(network: Network, norms: Iterable[_BatchNorm], data: Dataset, seed: int, device: torch.device) -> None:
    """Compute running statistics anew, as the mean over the batches of one pass over plain training inputs in a keyed order.

    Everything but these norms is in evaluation mode meanwhile.
    """
    chosen = tuple(norms)
    if not chosen:
        return
    modes = [(module, module.training) for module in network.modules()]
    momenta = [norm.momentum for norm in chosen]
    network.eval()
    for norm in chosen:
        norm.train()
        norm.reset_running_stats()
        norm.momentum = None  # which is torch's word for the mean over all batches
    for minibatch in training_batches(network, data, EVALUATION_BATCH, seed, device)(0):
        network(minibatch.inputs)
    for norm, momentum in zip(chosen, momenta, strict=True):
        norm.momentum = momentum
    for module, training in modes:
        module.training = training


def _norms(network: Network) -> dict[str, _BatchNorm]:
    return {name: module for name, module in network.named_modules() if isinstance(module, _BatchNorm) and module.track_running_stats}
