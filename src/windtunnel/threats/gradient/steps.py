"""The rule of PGD: equal steps along the steepest direction, projected. Imports torch."""

from __future__ import annotations

from torch import Tensor

from windtunnel.core.ball import project, steepest


class Steps:
    """Plain projected steps.

    Args:
        norm: of the ball and of the steps.
        eps: radius of the ball.
        step: length of one step.
    """

    def __init__(self, norm: str, eps: float, step: float) -> None:
        self.norm, self.eps, self.step = norm, eps, step

    def look(self, points: Tensor) -> Tensor:
        """The points."""
        return points

    def direction(self, gradient: Tensor) -> Tensor:
        """Where a step goes, of norm 1."""
        return steepest(self.norm, gradient)

    def advance(self, step: int, inputs: Tensor, points: Tensor, values: Tensor, gradient: Tensor) -> Tensor:
        """One step, back onto the ball, clipped to [0, 1]."""
        change = points + self.step * self.direction(gradient) - inputs
        return (inputs + project(self.norm, change, self.eps)).clamp(0, 1)

    def keep(self, rows: Tensor) -> None:
        """Nothing is kept for each sample."""
