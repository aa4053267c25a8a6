"""PGD: steps along the gradient, projected onto the ball."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import PositiveInt
from pydantic.dataclasses import dataclass

from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT, Radius
from windtunnel.core.flag import Flag
from windtunnel.core.victim import Victim
from windtunnel.errors import BudgetError
from windtunnel.threats.attack import Attack, too_few_classes

if TYPE_CHECKING:
    from torch import Tensor

    from windtunnel.threats.standing import Standing


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PGD(Attack):
    """Projected gradient descent; each step moves along the steepest direction of the norm.

    Args:
        norm: "Linf", "L2" or "L1" (there the steepest direction is a single value; see `apgd` for a stronger attack).
        eps: radius in input units, where inputs lie in [0, 1]; several make one curve.
        loss: "ce" (cross-entropy), "dlr" (difference of logits ratio) or "margin".
        steps: gradient steps.
        step: length of one step in the same units; 2.5 * eps / steps if left out.
        random_start: whether to start at a random point of the ball.
        restarts: attempts; each further one runs on the samples that still stand.
        eot: gradients averaged in each step, for victims that draw at random.
        stop_when_broken: whether a sample leaves at the first iterate that breaks it; adversarial training takes all steps instead.
    Raises:
        BudgetError: a step of no length, or restarts that would all be alike.
    Source:
        Madry et al. 2018, arXiv 1706.06083, section 2.1; 40 steps as in its evaluation on MNIST, 2.5 * eps / steps as in its
        challenge's rule that a start anywhere can reach the border. Expectation over transformation: arXiv 1802.00420.
    Deviation:
        `stop_when_broken`: published results are those of the last iterate, which breaks no sample that an earlier one does not.
    """

    use: ClassVar[str] = "pgd"
    version: ClassVar[int] = 2

    norm: Literal["Linf", "L2", "L1"] = "Linf"
    loss: Literal["ce", "dlr", "margin"] = "ce"
    steps: PositiveInt = 40
    step: Radius | None = None
    random_start: bool = True
    restarts: PositiveInt = 1
    eot: PositiveInt = 1
    stop_when_broken: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.step is not None and self.step == 0:
            raise BudgetError("pgd: a step of length 0 goes nowhere; leave `step` out for 2.5 * eps / steps.")
        if self.restarts > 1 and not self.random_start:
            raise BudgetError(f"pgd: {self.restarts} restarts without random_start are {self.restarts} times the same; set one of the two.")

    def passes(self) -> float:
        """Forward and backward in every step, a check between restarts."""
        return self.restarts * 2.0 * self.steps * self.eot + (self.restarts - 1)

    def cautions(self, classes: int, shape: tuple[int, ...]) -> tuple[Flag, ...]:
        """Whether the loss had to be replaced."""
        return too_few_classes(self.use, self.loss, classes)

    def perturb(self, victim: Victim, batch: Batch, level: Fraction, seed: int) -> Tensor:
        """The point that broke each sample, or the last iterate of the last attempt."""
        from windtunnel.threats.standing import Standing

        standing = Standing(victim, batch, self.norm, float(level))
        for attempt in range(self.restarts):
            last = self.attempt(standing, seed, attempt)
            if attempt == self.restarts - 1:
                standing.leave(last)
            else:
                standing.offer(last)
            if not len(standing):
                break
        return standing.perturbed

    def attempt(self, standing: Standing, seed: int, attempt: int) -> Tensor:
        """One run on what stands; its last points."""
        from windtunnel.core.ball import random_change
        from windtunnel.threats.gradient.ascent import ascend
        from windtunnel.threats.gradient.steps import Steps
        from windtunnel.threats.losses import untargeted

        eps = standing.eps
        step = float(self.step) if self.step is not None else 2.5 * eps / self.steps
        points = standing.inputs
        if self.random_start:
            points = (points + random_change(self.norm, points, eps, standing.draws(seed, f"{self.use}/{attempt}"))).clamp(0, 1)
        return ascend(standing, points, Steps(self.norm, eps, step), untargeted(self.loss), self.steps, eot=self.eot, judged=self.stop_when_broken)
