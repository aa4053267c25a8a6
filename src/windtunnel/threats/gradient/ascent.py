"""Ascent: the one loop of all gradient attacks; what differs between them is a rule. Imports torch."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from windtunnel.threats.losses import Objective
from windtunnel.threats.standing import Standing


class Rule(Protocol):
    """How an attack moves; it may keep values for each sample, which follow the samples that stand."""

    def look(self, points: Tensor) -> Tensor:
        """Where the gradient is taken: the points themselves, but for attacks that look ahead or transform their input."""
        ...

    def advance(self, step: int, inputs: Tensor, points: Tensor, values: Tensor, gradient: Tensor) -> Tensor:
        """The next points, inside the budget and [0, 1].

        Args:
            step: 0-based.
            inputs: the unperturbed samples.
            points: the present points.
            values: the objective there.
            gradient: of the objective, where `look` said.
        """
        ...

    def keep(self, rows: Tensor) -> None:
        """Only these samples are left; thin out whatever is kept for each."""
        ...


def ascend(standing: Standing, points: Tensor, rule: Rule, objective: Objective, steps: int, *, eot: int = 1, judged: bool = True) -> Tensor:
    """Take `steps` steps from `points`; a sample leaves the moment that a point breaks it.

    Verdicts come for free with the gradient, so they are made wherever it is taken at the points themselves. The last points were
    not looked at by the victim yet.

    Args:
        points: where the standing samples start, within the budget.
        eot: gradients averaged in each step.
        judged: whether points may break samples; False while they lie outside the budget on purpose.
    Returns:
        The last points of the samples that stand.
    """
    for step in range(steps):
        if not len(standing):
            break
        seen = rule.look(points)
        logits, values, gradient = standing.victim.gradient(seen, lambda answer: objective(answer, standing.labels, standing.rows), eot)
        if judged and seen is points:
            kept = standing.fell(logits.argmax(1) != standing.labels, points)
            if kept is not None:
                rule.keep(kept)
                points, values, gradient = points[kept], values[kept], gradient[kept]
                if not len(standing):
                    break
        points = rule.advance(step, standing.inputs, points, values, gradient)
    return points
