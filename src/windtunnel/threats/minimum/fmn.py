"""FMN: the radius follows the boundary, the step follows the gradient."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, PositiveInt
from pydantic.dataclasses import dataclass

from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT
from windtunnel.core.victim import Victim
from windtunnel.threats.attack import Attack

if TYPE_CHECKING:
    from torch import Tensor

Positive = Annotated[float, Field(gt=0)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FMN(Attack):
    """Fast minimum-norm: projected steps in a ball whose radius is driven onto the boundary.

    It minimises the distance; a sample whose nearest misclassified point lies beyond `eps` is given back unchanged.

    Args:
        norm: "Linf", "L2", "L1" or "L0" (number of values changed).
        eps: radius in input units, where inputs lie in [0, 1], or the number of values in L0; several make one curve.
        steps: gradient steps.
        alpha: L2 length of the first step, in input units; it falls to a hundredth along a cosine. 10 in Linf and 1 elsewhere if left out.
        gamma: share by which the radius shrinks and grows at first; it falls to a fiftieth along a cosine.
    Source:
        Pintor et al. 2021, arXiv 2102.12827, algorithm 1 (100 steps as in its fast setting).
    Deviation:
        While nothing is found, the radius does not fall where [0, 1] cuts a step short, and the way to the linearised boundary is
        lengthened by gamma, so that it is crossed rather than approached.
        The values to which alpha and gamma fall are those of foolbox's implementation (a hundredth, and 0.001 from 0.05).
    """

    use: ClassVar[str] = "fmn"
    minimal: ClassVar[bool] = True

    norm: Literal["Linf", "L2", "L1", "L0"] = "L2"
    steps: PositiveInt = 100
    alpha: Positive | None = None
    gamma: Annotated[float, Field(gt=0, lt=1)] = 0.05

    def passes(self) -> float:
        """Forward and backward in every step, and a look at the last point."""
        return 2.0 * self.steps + 1

    def perturb(self, victim: Victim, batch: Batch, level: Fraction, seed: int) -> Tensor:
        """The nearest misclassified points found, where they lie within the budget; the inputs elsewhere."""
        import torch

        from windtunnel.core.ball import TINY, lengths, project, steepest
        from windtunnel.core.margin import margin
        from windtunnel.threats.minimum.nearest import Nearest
        from windtunnel.threats.minimum.schedule import cosine

        inputs, labels = batch.inputs, batch.labels
        nearest = Nearest(inputs, self.norm)
        rows = torch.arange(len(batch), device=inputs.device)
        first = self.alpha if self.alpha is not None else 10.0 if self.norm == "Linf" else 1.0
        dual = {"Linf": "L1", "L2": "L2", "L1": "Linf", "L0": "Linf"}[self.norm]
        points, radius = inputs, torch.full((len(batch),), torch.inf, device=inputs.device, dtype=inputs.dtype)
        for step in range(self.steps):
            logits, lead, slope = victim.gradient(points, lambda answer: margin(answer, labels))
            broken = logits.argmax(1) != labels
            nearest.offer(rows, points, broken)
            gamma = cosine(step, self.steps, self.gamma, self.gamma / 50)
            best = nearest.distance.to(inputs.dtype)
            # Where nothing was found yet, as far as the boundary would be if the victim were linear.
            moved = lengths(self.norm, points - inputs)
            guess = torch.where(radius.isfinite(), torch.maximum(radius, moved), moved) + (1 + gamma) * lead.abs() / lengths(dual, slope).clamp_min(
                TINY
            )
            if self.norm == "L0":
                guess, fewer, more = guess.ceil(), (radius * (1 - gamma)).floor(), (radius * (1 + gamma)).ceil()
            else:
                fewer, more = radius * (1 - gamma), radius * (1 + gamma)
            radius = torch.where(broken, torch.minimum(fewer, best), torch.where(best.isfinite(), more, guess))
            change = points - inputs + cosine(step, self.steps, first, first / 100) * steepest("L2", slope)
            points = (inputs + project(self.norm, change, radius)).clamp(0, 1)
        nearest.offer(rows, points, victim.logits(points).argmax(1) != labels)
        return nearest.found(float(level))
