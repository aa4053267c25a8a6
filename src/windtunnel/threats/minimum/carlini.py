"""The Carlini-Wagner search for the smallest L2 perturbation. Imports torch."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass
class Search:
    """What is known of each sample while the weight of its misclassification is searched.

    Args:
        best: nearest misclassified point so far; the input where there is none.
        distance: its squared L2 distance, infinite where there is none.
        weight: of misclassification against distance, now.
        low, high: weights known to be too small, and large enough.
    """

    best: Tensor
    distance: Tensor
    weight: Tensor
    low: Tensor
    high: Tensor

    def adjust(self, succeeded: Tensor) -> None:
        """Halve the interval of the weight; ten times the weight while nothing large enough is known."""
        self.high = torch.where(succeeded, self.weight, self.high)
        self.low = torch.where(succeeded, self.low, self.weight)
        self.weight = torch.where(self.high.isinf(), self.weight * 10, (self.low + self.high) / 2)


def nearest(
    network: nn.Module, inputs: Tensor, labels: Tensor, *, eps: float, c: float, kappa: float, steps: int, lr: float, searches: int
) -> Tensor:
    """The nearest misclassified point found for each sample; the input itself where none was.

    Every sample is its own problem: Adam works element by element and nothing is shared, so the batch does not matter. A sample
    that is broken within `eps` takes no part in further searches.
    """
    size = len(inputs)
    infinite = torch.full((size,), torch.inf, device=inputs.device)
    search = Search(inputs.clone(), infinite.clone(), torch.full_like(infinite, c), torch.zeros_like(infinite), infinite.clone())
    rows = torch.arange(size, device=inputs.device)
    for _ in range(searches):
        found, distance, succeeded = _descend(network, inputs[rows], labels[rows], search.weight[rows], kappa, steps, lr)
        closer = rows[distance < search.distance[rows]]
        search.best[closer] = found[distance < search.distance[rows]]
        search.distance = search.distance.index_put((rows,), torch.minimum(distance, search.distance[rows]))
        everywhere = torch.zeros_like(search.high, dtype=torch.bool).index_put((rows,), succeeded)
        search.adjust(everywhere)
        rows = (search.distance.sqrt() > eps).nonzero().flatten()
        if not len(rows):
            break
    return search.best


def _descend(
    network: nn.Module, inputs: Tensor, labels: Tensor, weight: Tensor, kappa: float, steps: int, lr: float
) -> tuple[Tensor, Tensor, Tensor]:
    """One descent at fixed weights: (nearest misclassified point, its squared distance, whether the weight is large enough).

    It is if the last quarter of the descent saw a misclassified point. One that was only passed through in the long steps at the
    start says nothing of the weight, and taking it for a success would send the search the wrong way.
    """
    # Just inside the box: at its border tanh has no slope, and black or white pixels would never move.
    variable = torch.atanh((2 * inputs - 1) * 0.999999).requires_grad_(True)
    optimiser = torch.optim.Adam([variable], lr=lr)
    best, nearest_yet = inputs.clone(), torch.full((len(inputs),), torch.inf, device=inputs.device)
    settled = torch.zeros(len(inputs), dtype=torch.bool, device=inputs.device)
    for step in range(steps):
        # Long steps to get away from black and white, short ones to come close to the boundary.
        optimiser.param_groups[0]["lr"] = lr * (1 + math.cos(math.pi * step / steps)) / 2
        points = (torch.tanh(variable) + 1) / 2
        distance = (points - inputs).flatten(1).square().sum(1)
        margin = _margin(network(points), labels)
        (gradient,) = torch.autograd.grad((distance + weight * margin.clamp_min(-kappa)).sum(), variable)
        with torch.no_grad():
            better = (margin < 0) & (margin <= -kappa) & (distance < nearest_yet)
            best[better], nearest_yet[better] = points[better], distance[better]
            if step >= steps - max(1, steps // 4):
                settled |= (margin < 0) & (margin <= -kappa)
        variable.grad = gradient
        optimiser.step()
    return best, nearest_yet, settled


def _margin(logits: Tensor, labels: Tensor) -> Tensor:
    """The label's logit less the largest other one; negative where the sample is misclassified."""
    own = logits.gather(1, labels[:, None]).squeeze(1)
    others = logits.scatter(1, labels[:, None], -torch.inf).amax(1)
    return own - others
