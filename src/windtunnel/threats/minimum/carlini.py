"""The Carlini-Wagner search for the smallest L2 perturbation. Imports torch."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from windtunnel.core.margin import margin
from windtunnel.core.victim import Victim
from windtunnel.threats.minimum.nearest import Nearest


def search(victim: Victim, nearest: Nearest, labels: Tensor, *, c: float, kappa: float, steps: int, lr: float, searches: int) -> None:
    """Offer the misclassified points that descents come upon, at weights of misclassification that are searched by bisection.

    Every sample is its own problem: Adam works element by element and nothing is shared, so the batch does not matter. The interval
    of a weight is halved; while nothing large enough is known, it is multiplied by ten.
    """
    inputs = nearest.inputs
    high = torch.full((len(inputs),), torch.inf, device=inputs.device)
    weight, low = torch.full_like(high, c), torch.zeros_like(high)
    for _ in range(searches):
        succeeded = _descend(victim, nearest, labels, weight, kappa, steps, lr)
        high, low = torch.where(succeeded, weight, high), torch.where(succeeded, low, weight)
        weight = torch.where(high.isinf(), weight * 10, (low + high) / 2)


def _descend(victim: Victim, nearest: Nearest, labels: Tensor, weight: Tensor, kappa: float, steps: int, lr: float) -> Tensor:
    """One descent at fixed weights; whether each is large enough, (batch,) bool.

    It is if the last quarter of the descent saw a misclassified point. One that was only passed through in the long steps at the
    start says nothing of the weight, and taking it for a success would send the search the wrong way.
    """
    inputs = nearest.inputs
    rows = torch.arange(len(inputs), device=inputs.device)
    # Just inside the box: at its border tanh has no slope, and black or white pixels would never move.
    variable = torch.atanh((2 * inputs - 1) * 0.999999).requires_grad_(True)
    optimiser = torch.optim.Adam([variable], lr=lr)
    settled = torch.zeros(len(inputs), dtype=torch.bool, device=inputs.device)
    for step in range(steps):
        # Long steps to get away from black and white, short ones to come close to the boundary.
        optimiser.param_groups[0]["lr"] = lr * (1 + math.cos(math.pi * step / steps)) / 2
        points = (torch.tanh(variable) + 1) / 2
        _, lead, slope = victim.gradient(points, lambda logits: margin(logits, labels))
        # The gradient of weight * max(-lead, -kappa) by the point, then by the variable behind it.
        pull = torch.where(lead < kappa, -weight, torch.zeros_like(weight))
        change = points - inputs
        (variable.grad,) = torch.autograd.grad(points, variable, 2 * change.detach() + pull.view(-1, *[1] * (inputs.ndim - 1)) * slope)
        optimiser.step()
        broken = (lead > 0) & (lead >= kappa)
        nearest.offer(rows, points.detach(), broken)
        if step >= steps - max(1, steps // 4):
            settled |= broken
    return settled
