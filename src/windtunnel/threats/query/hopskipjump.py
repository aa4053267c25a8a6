"""HopSkipJump: along the boundary by decisions alone."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import PositiveInt
from pydantic.dataclasses import dataclass

from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT
from windtunnel.core.victim import Victim
from windtunnel.threats.attack import Attack

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class HopSkipJump(Attack):
    """Needs nothing but the predicted class: estimates the boundary's direction from random decisions, and follows it inwards.

    It minimises the distance; a sample whose nearest misclassified point lies beyond `eps` is given back unchanged.

    Args:
        norm: "L2" or "Linf".
        eps: radius in input units, where inputs lie in [0, 1]; several make one curve.
        queries: a sample, all phases together; what would exceed them is not begun.
        starts: uniform random images tried for a first misclassified one.
        evaluations: decisions in the first estimate; later ones take more, with the square root of their number.
        largest: decisions in one estimate at most.
    Source:
        Chen et al. 2020, arXiv 1904.02144, algorithm 2 (100 evaluations at first, 10,000 at most).
    """

    use: ClassVar[str] = "hopskipjump"
    black_box: ClassVar[bool] = True
    minimal: ClassVar[bool] = True

    norm: Literal["L2", "Linf"] = "L2"
    queries: PositiveInt = 1000
    starts: PositiveInt = 100
    evaluations: PositiveInt = 100
    largest: PositiveInt = 10000

    def passes(self) -> float:
        """One forward for each query."""
        return float(self.queries)

    def perturb(self, victim: Victim, batch: Batch, level: Fraction, seed: int) -> Tensor:
        """The nearest misclassified points found, where they lie within the budget; the inputs elsewhere."""
        from windtunnel.seeding import generators
        from windtunnel.threats.query.decisions import Walk

        walk = Walk(victim, batch, self.norm, self.queries, generators(seed, self.use, batch.ids))
        walk.begin(self.starts)
        walk.approach(self.evaluations, self.largest)
        return walk.nearest.found(float(level))
