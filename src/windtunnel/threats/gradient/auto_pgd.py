"""The rule of Auto-PGD, and its attempts: momentum, and step sizes that halve when progress stalls. Imports torch."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from windtunnel.core.ball import TINY, column, lengths, normal_draws, project, project_l1_in_box, steepest, uniform_draws
from windtunnel.threats.gradient.ascent import ascend
from windtunnel.threats.losses import Objective
from windtunnel.threats.standing import Standing

MOMENTUM = 0.75
"""Share of the new move in every step but the first, section 3.1."""


class AutoSteps:
    """Steps in Linf and L2.

    Args:
        norm: "Linf" or "L2".
        eps: radius of the ball.
        steps: in all; checkpoints lie at 22 % of them and ever closer, down to 6 %.
        rho: share of improving steps below which a step size is halved.
    Source:
        Croce and Hein 2020, arXiv 2003.01690, algorithm 1.
    """

    def __init__(self, norm: str, eps: float, steps: int, rho: float) -> None:
        self.norm, self.eps, self.rho = norm, eps, rho
        self.span, self.closer, self.least = (max(int(share * steps), 1) for share in (0.22, 0.03, 0.06))
        self.since = 0

    def look(self, points: Tensor) -> Tensor:
        """The points."""
        return points

    def advance(self, step: int, inputs: Tensor, points: Tensor, values: Tensor, gradient: Tensor) -> Tensor:
        """Judge the present points, then step."""
        if step == 0:
            self._begin(points, values, gradient)
        else:
            self._judge(points, values, gradient)
            if self.since == self.span:
                points, gradient = self._checkpoint(points, gradient)
        following = self._move(step, inputs, points, gradient)
        self.before = points
        return following

    def _begin(self, points: Tensor, values: Tensor, gradient: Tensor) -> None:
        count = len(points)
        self.before = points
        self.size = torch.full((count,), 2 * self.eps, dtype=points.dtype, device=points.device)
        self.best, self.best_value, self.best_gradient = points, values, gradient
        self.last, self.rises = values, torch.zeros_like(values)
        self.checked, self.reduced = values, torch.ones_like(values, dtype=torch.bool)

    def _judge(self, points: Tensor, values: Tensor, gradient: Tensor) -> None:
        better = values > self.best_value
        wide = column(better, points)
        self.best, self.best_gradient = torch.where(wide, points, self.best), torch.where(wide, gradient, self.best_gradient)
        self.best_value = torch.where(better, values, self.best_value)
        self.rises = self.rises + (values > self.last)
        self.last = values
        self.since += 1

    def _checkpoint(self, points: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
        """Halve the steps of samples that hardly rose, or that a whole step size brought nothing; they go back to their best point."""
        stalled = (self.rises <= self.rho * self.span) | (~self.reduced & (self.best_value <= self.checked))
        self.reduced, self.checked = stalled, self.best_value
        self.size = torch.where(stalled, self.size / 2, self.size)
        self.since, self.span, self.rises = 0, max(self.span - self.closer, self.least), torch.zeros_like(self.rises)
        wide = column(stalled, points)
        return torch.where(wide, self.best, points), torch.where(wide, self.best_gradient, gradient)

    def _move(self, step: int, inputs: Tensor, points: Tensor, gradient: Tensor) -> Tensor:
        moved = self._inside(inputs, points + column(self.size, points) * steepest(self.norm, gradient))
        if step == 0:
            return moved
        return self._inside(inputs, points + MOMENTUM * (moved - points) + (1 - MOMENTUM) * (points - self.before))

    def _inside(self, inputs: Tensor, points: Tensor) -> Tensor:
        return (inputs + project(self.norm, points - inputs, self.eps)).clamp(0, 1)

    def keep(self, rows: Tensor) -> None:
        """Thin out all that is kept for each sample."""
        for name in ("before", "size", "best", "best_value", "best_gradient", "last", "rises", "checked", "reduced"):
            if hasattr(self, name):
                setattr(self, name, getattr(self, name)[rows])


class SparseSteps(AutoSteps):
    """Steps in L1, along the largest slopes only; how many is learned from how sparse the best point is.

    There is no momentum, and no share of improving steps is asked for.

    Source:
        Croce and Hein 2021, arXiv 2103.01208, algorithm 1; numbers as in its code (fra31/auto-attack, autopgd_base.py).
    Deviation:
        The projection returns exact zeros. The published code's leaves rounding residue in the first points, which it counts as changed.
    """

    def __init__(self, norm: str, eps: float, steps: int, rho: float) -> None:
        super().__init__(norm, eps, steps, rho)
        self.span, self.closer = max(int(0.04 * steps), 1), 0
        self.least = self.span

    def _begin(self, points: Tensor, values: Tensor, gradient: Tensor) -> None:
        super()._begin(points, values, gradient)
        self.size = self.size / 2
        self.share = torch.full_like(self.size, 0.2)
        self.sparsity = torch.full_like(self.size, points[0].numel())

    def start_sparse(self, inputs: Tensor, points: Tensor) -> None:
        """Learn the sparsity from points of an earlier run."""
        self.learned = lengths("L0", points - inputs)

    def _checkpoint(self, points: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
        now = lengths("L0", self.best - self.inputs)
        sparser = now < 0.95 * self.sparsity
        self.share = now / points[0].numel() / 1.5
        self.size = torch.where(sparser, torch.full_like(self.size, self.eps), (self.size / 1.5).clamp_min(self.eps / 10))
        self.sparsity, self.since = now, 0
        wide = column(sparser, points)
        return torch.where(wide, self.best, points), torch.where(wide, self.best_gradient, gradient)

    def advance(self, step: int, inputs: Tensor, points: Tensor, values: Tensor, gradient: Tensor) -> Tensor:
        """As in other norms; the inputs are needed to count what changed."""
        self.inputs = inputs
        return super().advance(step, inputs, points, values, gradient)

    def _move(self, step: int, inputs: Tensor, points: Tensor, gradient: Tensor) -> Tensor:
        if step == 0 and hasattr(self, "learned"):
            self.sparsity, self.share = self.learned, self.learned / points[0].numel() / 1.5
        flat = gradient.flatten(1)
        rank = ((1 - self.share) * flat.shape[1]).long().clamp(0, flat.shape[1] - 1)
        least = flat.abs().sort(dim=1).values.gather(1, rank[:, None])
        chosen = torch.where(flat.abs() >= least, flat.sign(), torch.zeros_like(flat))
        direction = (chosen / (chosen.abs().sum(1, keepdim=True) + TINY)).view_as(points)
        return (inputs + project_l1_in_box(inputs, points + column(self.size, points) * direction - inputs, self.eps)).clamp(0, 1)

    def keep(self, rows: Tensor) -> None:
        """Thin out what is kept for each sample."""
        super().keep(rows)
        for name in ("share", "sparsity", "learned"):
            if hasattr(self, name):
                setattr(self, name, getattr(self, name)[rows])


def attempt(
    standing: Standing, draws: Sequence[np.random.Generator], objective: Objective, *, steps: int, rho: float, eot: int = 1, wider: bool = True
) -> Tensor:
    """One run of Auto-PGD on what stands; broken samples leave, and the best point of each of the others is returned.

    Args:
        draws: one generator per standing sample, for the start: the border of the ball in a random direction.
        objective: to be increased.
        wider: in L1, whether the first steps go beyond the radius.
    """
    if standing.norm == "L1":
        return _sparse_attempt(standing, draws, objective, steps=steps, rho=rho, eot=eot, wider=wider)
    rule = AutoSteps(standing.norm, standing.eps, steps, rho)
    last = ascend(standing, _start(standing, draws), rule, objective, steps, eot=eot)
    return _finish(standing, rule, last)


def _start(standing: Standing, draws: Sequence[np.random.Generator]) -> Tensor:
    inputs = standing.inputs
    shape = inputs.shape[1:]
    drawn = uniform_draws(draws, shape, inputs, -1, 1) if standing.norm == "Linf" else normal_draws(draws, shape, inputs)
    direction = drawn / column(lengths(standing.norm, drawn).clamp_min(TINY), drawn)
    return (inputs + standing.eps * direction).clamp(0, 1)


def _sparse_attempt(
    standing: Standing, draws: Sequence[np.random.Generator], objective: Objective, *, steps: int, rho: float, eot: int, wider: bool
) -> Tensor:
    """In L1, from normal noise; `wider` takes three tenths of the steps at three times the radius, and at twice (arXiv 2103.01208)."""
    inputs = standing.inputs
    points = inputs + normal_draws(draws, inputs.shape[1:], inputs)
    # One step at least is left for the radius itself.
    part = min(math.ceil(0.3 * steps), (steps - 1) // 2) if wider else 0
    for factor in (3, 2, 1) if part else (1,):
        count = part if factor > 1 else steps - 2 * part
        points = inputs + project_l1_in_box(inputs, points - inputs, factor * standing.eps)
        rule = SparseSteps("L1", factor * standing.eps, count, rho)
        if wider:
            rule.start_sparse(inputs, points)
        last = ascend(standing, points, rule, objective, count, eot=eot, judged=factor == 1)
        if factor > 1:
            points = _highest(standing, rule, last, objective)
    return _finish(standing, rule, last)


def _highest(standing: Standing, rule: AutoSteps, last: Tensor, objective: Objective) -> Tensor:
    """The points of highest loss in a run beyond the radius; nobody looked at the last ones yet."""
    values = objective(standing.victim.logits(last), standing.labels, standing.rows)
    return torch.where(column(values > rule.best_value, last), last, rule.best)


def _finish(standing: Standing, rule: AutoSteps, last: Tensor) -> Tensor:
    """Ask about the last points, which nobody looked at; the best points of those that stand even so."""
    if not len(standing):
        return last[:0]
    kept = standing.offer(last)
    return rule.best if kept is None else rule.best[kept]
