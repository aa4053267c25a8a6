"""FAB: the shortest way to the boundary, by linearising it again and again."""

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


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FAB(Attack):
    """The targeted fast adaptive boundary attack, aimed at the likeliest other classes one after the other.

    It minimises the distance; a sample whose nearest misclassified point lies beyond `eps` is given back unchanged.

    Args:
        norm: "Linf", "L2" or "L1".
        eps: radius in input units, where inputs lie in [0, 1]; several make one curve.
        targets: number of likeliest other classes aimed at; all where there are fewer.
        steps: linearisations towards each.
    Source:
        Croce and Hein 2020, arXiv 1907.02044, algorithm 1; targeted as in arXiv 2003.01690, section 5.
    """

    use: ClassVar[str] = "fab"
    minimal: ClassVar[bool] = True

    norm: Literal["Linf", "L2", "L1"] = "Linf"
    targets: Annotated[int, Field(ge=1)] = 9
    steps: PositiveInt = 100

    def passes(self) -> float:
        """A forward and a backward for each linearisation, and a verdict on most."""
        return self.targets * (3.0 * self.steps + 2)

    def perturb(self, victim: Victim, batch: Batch, level: Fraction, seed: int) -> Tensor:
        """The nearest misclassified points found, where they lie within the budget; the inputs elsewhere."""
        import torch

        from windtunnel.threats.minimum.boundary import Boundary
        from windtunnel.threats.minimum.nearest import Nearest

        nearest = Nearest(batch.inputs, self.norm)
        ranking = victim.logits(batch.inputs).argsort(dim=1, descending=True, stable=True)
        rows = torch.arange(len(batch), device=batch.inputs.device)
        for place in range(1, min(self.targets, ranking.shape[1] - 1) + 1):
            Boundary(self.steps).search(victim, nearest, rows, batch.labels, ranking[:, place], enough=0.0)
        return nearest.found(float(level))
