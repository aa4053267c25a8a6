"""A linear probe that is fitted to its optimum at once: a teacher made of frozen features. Imports torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, linear

from windtunnel.core.batch import Rows
from windtunnel.core.dataset import Dataset
from windtunnel.core.network import Network
from windtunnel.recipes.order import EVALUATION_BATCH

MOST_STEPS = 200
"""Iterations of L-BFGS at most; features of a few hundred samples need a few dozen. Ours."""


@dataclass(frozen=True)
class Probe:
    """Weights and bias of a linear classifier, (classes, features) and (classes,)."""

    weight: Tensor
    bias: Tensor

    def __call__(self, features: Tensor) -> Tensor:
        """Logits, (batch, classes)."""
        return linear(features, self.weight, self.bias)

    @classmethod
    def fitted(cls, features: Tensor, labels: Tensor, classes: int) -> Probe:
        """A logistic regression on standardised features, with half the squared weights added to the summed loss.

        Shapes:
            features (samples, features); labels (samples,), class indices.
        """
        spread = features.std(0, correction=0)
        spread = torch.where(spread > 0, spread, 1.0)
        standard = (features - features.mean(0)) / spread
        weight = torch.zeros(classes, features.shape[1], device=features.device, requires_grad=True)
        bias = torch.zeros(classes, device=features.device, requires_grad=True)
        optimizer = torch.optim.LBFGS([weight, bias], max_iter=MOST_STEPS, tolerance_grad=1e-6, line_search_fn="strong_wolfe")

        def loss() -> float:
            optimizer.zero_grad()
            total = cross_entropy(linear(standard, weight, bias), labels) + weight.square().sum() / (2 * len(labels))
            total.backward()  # type: ignore[no-untyped-call]  # torch does not annotate it
            return float(total.detach())

        optimizer.step(loss)  # type: ignore[no-untyped-call]  # as above
        found = weight.detach() / spread
        return cls(found, bias.detach() - found @ features.mean(0))


def probed(network: Network, data: Dataset, device: torch.device) -> Callable[[Rows], Tensor]:
    """Inputs to logits: a network's features, in evaluation mode, under a probe fitted to a training split."""
    starts = range(0, len(data), EVALUATION_BATCH)
    with torch.no_grad():
        features = torch.cat(
            [network.features(data.batch(range(start, min(start + EVALUATION_BATCH, len(data))), device).inputs) for start in starts]
        )
    probe = Probe.fitted(features, torch.from_numpy(data.labels).to(device), len(data.classes))

    def teacher(inputs: Rows) -> Tensor:
        with torch.no_grad():
            return probe(network.features(inputs))

    return teacher
