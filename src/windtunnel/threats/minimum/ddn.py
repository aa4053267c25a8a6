"""DDN: the direction from the gradient, the norm from whether the last point was misclassified."""

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
class DDN(Attack):
    """Decoupled direction and norm: gradient steps on a sphere that shrinks where a point is misclassified and grows where not.

    It minimises the distance; a sample whose nearest misclassified point lies beyond `eps` is given back unchanged.

    Args:
        norm: "L2".
        eps: radius in input units, where inputs lie in [0, 1]; several make one curve.
        steps: gradient steps.
        first: radius of the first sphere, in the same units.
        gamma: share by which the sphere shrinks and grows.
    Source:
        Rony et al. 2019, arXiv 1811.09600, algorithm 1 (step length from 1 to 0.01 along a cosine, gamma 0.05).
    Deviation:
        Points are not rounded to 256 grey levels.
    """

    use: ClassVar[str] = "ddn"
    minimal: ClassVar[bool] = True

    norm: Literal["L2"] = "L2"
    eps: Radii = (Fraction(1, 2),)
    steps: PositiveInt = 100
    first: Annotated[float, Field(gt=0)] = 1.0
    gamma: Annotated[float, Field(gt=0, lt=1)] = 0.05

    def passes(self) -> float:
        """Forward and backward in every step, and a look at the last point."""
        return 2.0 * self.steps + 1

    def perturb(self, victim: Victim, batch: Batch, level: Fraction, seed: int) -> Tensor:
        """The nearest misclassified points found, where they lie within the budget; the inputs elsewhere."""
        import torch

        from windtunnel.core.ball import TINY, column, lengths, steepest
        from windtunnel.threats.losses import cross_entropy
        from windtunnel.threats.minimum.nearest import Nearest
        from windtunnel.threats.minimum.schedule import cosine

        inputs, labels = batch.inputs, batch.labels
        nearest = Nearest(inputs, self.norm)
        rows = torch.arange(len(batch), device=inputs.device)
        change, radius = torch.zeros_like(inputs), torch.full((len(batch),), self.first, device=inputs.device, dtype=inputs.dtype)
        for step in range(self.steps):
            points = (inputs + change).clamp(0, 1)
            logits, _, slope = victim.gradient(points, lambda answer: cross_entropy(answer, labels))
            broken = logits.argmax(1) != labels
            nearest.offer(rows, points, broken)
            change = points - inputs + cosine(step, self.steps, 1.0, 0.01) * steepest("L2", slope)
            radius = torch.where(broken, (1 - self.gamma) * radius, (1 + self.gamma) * radius)
            change = change * column(radius / lengths("L2", change).clamp_min(TINY), change)
        points = (inputs + change).clamp(0, 1)
        nearest.offer(rows, points, victim.logits(points).argmax(1) != labels)
        return nearest.found(float(level))
