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

        A forward pass decides whether a point is misclassified, and a gradient is wanted at that point if it is not, at another one
        if it is. So samples that stood last time get both from one pass, and the others first their verdict.

        Args:
            nearest: of all samples; what is found is offered to it.
            rows: which samples.
            labels, targets: of those, (len(rows),).
            enough: distance at which a sample takes no more part.
        """
        points = nearest.inputs[rows]
        _, margins, slopes = self._linearise(victim, points, labels, targets)
        stood = torch.ones_like(labels, dtype=torch.bool)
        for step in range(self.steps):
            points = self._step(nearest.norm, points, nearest.inputs[rows], margins, slopes)
            last = step == self.steps - 1
            points, margins, slopes, broken = self._look(victim, nearest, rows, points, labels, targets, stood & (not last), last)
            keep = nearest.distance[rows] > enough
            if not bool(keep.all()):
                rows, labels, targets, points = rows[keep], labels[keep], targets[keep], points[keep]
                margins, slopes, broken = margins[keep], slopes[keep], broken[keep]
            if not len(rows):
                return
            stood = ~broken

    def _linearise(self, victim: Victim, points: Tensor, labels: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits, the target's lead over the label, and its gradient."""
        return victim.gradient(points, lambda logits: targeted_margin(logits, labels, targets))

    def _look(
        self, victim: Victim, nearest: Nearest, rows: Tensor, points: Tensor, labels: Tensor, targets: Tensor, stood: Tensor, last: bool
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Verdicts on the points, then the points moved back where misclassified, and the linearisation there."""
        margins, slopes = torch.zeros_like(points.flatten(1)[:, 0]), torch.zeros_like(points)
        broken = torch.zeros_like(stood)
        first, other = stood.nonzero().flatten(), (~stood).nonzero().flatten()
        if len(first):
            logits, margins[first], slopes[first] = self._linearise(victim, points[first], labels[first], targets[first])
            broken[first] = logits.argmax(1) != labels[first]
        if len(other):
            broken[other] = victim.logits(points[other]).argmax(1) != labels[other]
        nearest.offer(rows, points, broken)
        if last:
            return points, margins, slopes, broken
        inputs = nearest.inputs[rows]
        points = torch.where(column(broken, points), inputs + self.beta * (points - inputs), points)
        again = (broken | ~stood).nonzero().flatten()
        if len(again):
            _, margins[again], slopes[again] = self._linearise(victim, points[again], labels[again], targets[again])
        return points, margins, slopes, broken

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
