"""APGD: projected gradient steps whose length adapts to their progress."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, PositiveInt
from pydantic.dataclasses import dataclass

from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT
from windtunnel.core.flag import Flag
from windtunnel.core.victim import Victim
from windtunnel.threats.attack import Attack, too_few_classes

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class APGD(Attack):
    """Auto-PGD: momentum, and a step size halved when progress stalls; in L1 steps along the largest slopes.

    In L1 three tenths of the steps go to three times the radius and three tenths to twice, as in the L1 form of AutoAttack.

    Args:
        norm: "Linf", "L2" or "L1".
        eps: radius in input units, where inputs lie in [0, 1]; several make one curve.
        loss: "ce" (cross-entropy), "dlr" (difference of logits ratio) or "margin".
        targets: 0 for an untargeted attack; else the number of likeliest other classes that are aimed at one after the other.
        steps: gradient steps of each attempt.
        restarts: attempts; each further one runs on the samples that still stand.
        rho: share of improving steps below which the step size is halved; without effect in L1.
        eot: gradients averaged in each step, for victims that draw at random.
    Source:
        Croce and Hein 2020, arXiv 2003.01690, section 3 (targeted: equation 6); L1: Croce and Hein 2021, arXiv 2103.01208.
    """

    use: ClassVar[str] = "apgd"
    version: ClassVar[int] = 3

    norm: Literal["Linf", "L2", "L1"] = "Linf"
    loss: Literal["ce", "dlr", "margin"] = "ce"
    targets: Annotated[int, Field(ge=0)] = 0
    steps: PositiveInt = 100
    restarts: PositiveInt = 1
    rho: Annotated[float, Field(gt=0, le=1)] = 0.75  # the paper's value, section 3.1
    eot: PositiveInt = 1

    def passes(self) -> float:
        """Forward and backward in every step, and a look at the last point, in L1 of each radius."""
        return max(self.targets, 1) * self.restarts * (2.0 * self.steps * self.eot + (3 if self.norm == "L1" else 1))

    def cautions(self, classes: int, shape: tuple[int, ...]) -> tuple[Flag, ...]:
        """Whether the loss had to be replaced."""
        return too_few_classes(self.use, self.loss, classes, targeted=self.targets > 0)

    def perturb(self, victim: Victim, batch: Batch, level: Fraction, seed: int) -> Tensor:
        """The point that broke each sample, or the one of highest loss where none did."""
        from windtunnel.threats.gradient.auto_pgd import attempt
        from windtunnel.threats.losses import aimed, untargeted
        from windtunnel.threats.standing import Standing

        standing = Standing(victim, batch, self.norm, float(level))
        ranking = victim.logits(batch.inputs).argsort(dim=1, descending=True, stable=True) if self.targets else None
        places = [0] if ranking is None else range(1, min(self.targets, ranking.shape[1] - 1) + 1)
        for place in places:
            objective = untargeted(self.loss) if ranking is None else aimed(self.loss, ranking[:, place])
            for number in range(self.restarts):
                if not len(standing):
                    return standing.perturbed
                draws = standing.draws(seed, f"{self.use}/{place}/{number}")
                standing.leave(attempt(standing, draws, objective, steps=self.steps, rho=self.rho, eot=self.eot))
        return standing.perturbed
