"""The search of FAB: along the boundary towards the input. Imports torch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from windtunnel.core.ball import TINY, column, lengths
from windtunnel.core.victim import Victim
from windtunnel.threats.losses import targeted_margin
from windtunnel.threats.minimum.hyperplane import towards_hyperplane
from windtunnel.threats.minimum.nearest import Nearest


@dataclass(frozen=True)
class Boundary:
    """Fast adaptive boundary search towards one target class.

    Args:
        steps: linearisations.
        alpha: largest share of the way back to the input in each step.
        eta: overshoot beyond the linearised boundary.
        beta: share of its change that a misclassified point keeps.
    Source:
        Croce and Hein 2020, arXiv 1907.02044, algorithm 1; targeted as in arXiv 2003.01690, section 5.
    """

    steps: int = 100
    alpha: float = 0.1
    eta: float = 1.05
    beta: float = 0.9

    def search(self, victim: Victim, nearest: Nearest, rows: Tensor, labels: Tensor, targets: Tensor, enough: float) -> None:
        """Look for nearer misclassified points of some samples.

        Args:
            nearest: of all samples; what is found is offered to it.
            rows: which samples.
            labels, targets: of those, (len(rows),).
            enough: distance at which a sample takes no more part.
        """
        points = nearest.inputs[rows]
        for _ in range(self.steps):
            margins, slopes = self._linearise(victim, points, labels, targets)
            inputs = nearest.inputs[rows]
            points = self._step(nearest.norm, points, inputs, margins, slopes)
            broken = victim.logits(points).argmax(1) != labels
            nearest.offer(rows, points, broken)
            points = torch.where(column(broken, points), inputs + self.beta * (points - inputs), points)
            keep = nearest.distance[rows] > enough
            if not bool(keep.all()):
                rows, labels, targets, points = rows[keep], labels[keep], targets[keep], points[keep]
            if not len(rows):
                return

    def _linearise(self, victim: Victim, points: Tensor, labels: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """The target's lead over the label, and its gradient."""
        _, margins, slopes = victim.gradient(points, lambda logits: targeted_margin(logits, labels, targets))
        return margins, slopes

    def _step(self, norm: str, points: Tensor, inputs: Tensor, margins: Tensor, slopes: Tensor) -> Tensor:
        """Project the point and the input onto the linearised boundary, and go between them, nearer to the point's."""
        flat, start, normal = points.flatten(1), inputs.flatten(1), slopes.flatten(1)
        offset = (normal * flat).sum(1) - margins
        both = towards_hyperplane(norm, torch.cat([flat, start]), torch.cat([normal, normal]), torch.cat([offset, offset]))
        moved, fresh = both.chunk(2)
        length, other = lengths(norm, moved).clamp_min(TINY), lengths(norm, fresh).clamp_min(TINY)
        share = (length / (length + other)).clamp(0, self.alpha)[:, None]
        following = (flat + self.eta * moved) * (1 - share) + (start + self.eta * fresh) * share
        return following.clamp(0, 1).view_as(points)
