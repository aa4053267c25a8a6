"""The nearest misclassified point of each sample, as searches come upon them. Imports torch."""

from __future__ import annotations

import torch
from torch import Tensor

from windtunnel.core.ball import column
from windtunnel.core.budget import distances, tolerance


class Nearest:
    """Keeps the nearest misclassified point found for each sample.

    Args:
        inputs: unperturbed samples.
        norm: in which near is meant.
    """

    def __init__(self, inputs: Tensor, norm: str) -> None:
        self.inputs, self.norm = inputs, norm
        self.points = inputs.clone()
        self.distance = torch.full((len(inputs),), torch.inf, dtype=torch.float64, device=inputs.device)

    def offer(self, rows: Tensor, points: Tensor, broken: Tensor) -> None:
        """Keep those points that break their sample and are nearer than what is known.

        Args:
            rows: of the samples, (offered,).
            points: (offered, ...), in [0, 1].
            broken: whether the victim misclassifies each, (offered,) bool.
        """
        found = distances(self.norm, self.inputs[rows], points)
        closer = broken & (found < self.distance[rows])
        self.points[rows[closer]] = points[closer].detach()
        self.distance[rows[closer]] = found[closer]

    def within(self, eps: float) -> Tensor:
        """Whether each sample has a misclassified point within that radius, (batch,) bool."""
        return self.distance <= eps + tolerance(self.norm, eps, self.inputs[0].numel())

    def found(self, eps: float) -> Tensor:
        """The points that lie within the radius; the inputs where none does."""
        return torch.where(column(self.within(eps), self.points), self.points, self.inputs)
