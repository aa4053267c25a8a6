"""Square: a random search that asks for answers only."""

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
class Square(Attack):
    """Random squares, kept where they bring the victim nearer to a mistake. Needs logits, no gradients.

    Args:
        norm: "Linf", "L2" or "L1".
        eps: radius in input units, where inputs lie in [0, 1]; several make one curve.
        queries: a sample and radius.
        restarts: attempts; each further one runs on the samples that still stand.
        share: of the image that the first squares cover; it falls on the published schedule, spread over the queries.
    Source:
        Andriushchenko et al. 2020, arXiv 1912.00049; L1: Croce and Hein 2021, arXiv 2103.01208. 5000 queries and a share of 0.8 as in
        AutoAttack, arXiv 2003.01690, section 5.
    Deviation:
        Every sample draws squares of its own, where the published code gives all samples of a batch the same ones.
    """

    use: ClassVar[str] = "square"
    black_box: ClassVar[bool] = True

    norm: Literal["Linf", "L2", "L1"] = "Linf"
    queries: PositiveInt = 5000
    restarts: PositiveInt = 1
    share: Annotated[float, Field(gt=0, le=1)] = 0.8

    def passes(self) -> float:
        """One forward for each query."""
        return float(self.queries * self.restarts)

    def perturb(self, victim: Victim, batch: Batch, level: Fraction, seed: int) -> Tensor:
        """The point that broke each sample, or the one nearest to a mistake."""
        from windtunnel.threats.query.square_search import search
        from windtunnel.threats.standing import Standing

        standing = Standing(victim, batch, self.norm, float(level))
        for number in range(self.restarts):
            if not len(standing):
                break
            draws, starts = (standing.draws(seed, f"{self.use}/{number}/{purpose}") for purpose in ("squares", "start"))
            standing.leave(search(standing, draws, starts, self.queries, self.share, span=self.queries))
        return standing.perturbed
