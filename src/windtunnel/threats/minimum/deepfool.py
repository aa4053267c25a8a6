"""DeepFool: steps onto the nearest of the linearised class boundaries."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, PositiveInt
from pydantic.dataclasses import dataclass

from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT, Radii
from windtunnel.core.victim import Victim
from windtunnel.threats.attack import Attack

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DeepFool(Attack):
    """Walks to the nearest linearised boundary until the sample is misclassified.

    It minimises the distance; a sample whose misclassified point lies beyond `eps` is given back unchanged.

    Args:
        norm: "L2" or "Linf".
        eps: radius in input units, where inputs lie in [0, 1]; several make one curve.
        steps: linearisations at most.
        candidates: number of likeliest classes, the label among them, whose boundaries are looked at; all where there are fewer.
        overshoot: share by which the way is lengthened to cross the boundary.
    Source:
        Moosavi-Dezfooli et al. 2016, arXiv 1511.04599, algorithm 2 and section 3 (10 candidates, overshoot 0.02, 50 steps); Linf by
        equation 11.
    Deviation:
        Points are clipped to [0, 1] after each step.
    """

    use: ClassVar[str] = "deepfool"
    minimal: ClassVar[bool] = True

    norm: Literal["L2", "Linf"] = "L2"
    eps: Radii = (Fraction(1, 2),)
    steps: PositiveInt = 50
    candidates: Annotated[int, Field(ge=2)] = 10
    overshoot: Annotated[float, Field(ge=0)] = 0.02

    def passes(self) -> float:
        """A forward and a backward for each other candidate in every step; most samples need few."""
        return 5.0 * self.candidates

    def perturb(self, victim: Victim, batch: Batch, level: Fraction, seed: int) -> Tensor:
        """The misclassified points, where they lie within the budget; the inputs elsewhere."""
        import torch

        from windtunnel.core.ball import TINY, column
        from windtunnel.threats.minimum.nearest import Nearest

        nearest = Nearest(batch.inputs, self.norm)
        ranking = victim.logits(batch.inputs).argsort(dim=1, descending=True, stable=True)[:, : self.candidates]
        rows, points = torch.arange(len(batch), device=batch.inputs.device), batch.inputs
        for _ in range(self.steps):
            logits, slopes = victim.slopes(points, ranking[rows])
            lead = logits.gather(1, ranking[rows])
            gap = (lead[:, 1:] - lead[:, :1]).abs()
            ways = slopes[:, 1:] - slopes[:, :1]
            flat = ways.flatten(2)
            length = (flat.norm(dim=2) if self.norm == "L2" else flat.abs().sum(2)).clamp_min(TINY)
            closest = (gap / length).argmin(1, keepdim=True)
            one = torch.arange(len(rows), device=rows.device)
            way, size, far = ways[one, closest[:, 0]], length.gather(1, closest)[:, 0], gap.gather(1, closest)[:, 0]
            direction = way / column(size, way) if self.norm == "L2" else way.sign()
            moved = points + column((far + 1e-4) / size, way) * direction  # the constant of the authors' code, against steps of no length
            inputs = batch.inputs[rows]
            tried = (inputs + (1 + self.overshoot) * (moved - inputs)).clamp(0, 1)
            broken = victim.logits(tried).argmax(1) != batch.labels[rows]
            nearest.offer(rows, tried, broken)
            rows, points = rows[~broken], moved.clamp(0, 1)[~broken]
            if not len(rows):
                break
        return nearest.found(float(level))
