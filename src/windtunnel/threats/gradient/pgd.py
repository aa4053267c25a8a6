"""PGD: steps along the gradient, projected onto the ball."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import PositiveInt
from pydantic.dataclasses import dataclass

from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT, Radius
from windtunnel.core.victim import Victim
from windtunnel.errors import BudgetError
from windtunnel.threats.attack import Attack

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PGD(Attack):
    """Projected gradient descent; its last iterate is the result.

    Args:
        norm: "Linf" or "L2".
        eps: radius in input units, where inputs lie in [0, 1]; several make one curve.
        steps: gradient steps.
        step: length of one step in the same units; 2.5 * eps / steps if left out.
        random_start: whether to start at a random point of the ball.
        restarts: attempts; each further one runs on the samples that still stand.
    Raises:
        BudgetError: a step of no length, or restarts that would all be alike.
    Source:
        Madry et al. 2018, arXiv 1706.06083, section 2.1; 40 steps as in its evaluation on MNIST, 2.5 * eps / steps as in its
        challenge's rule that a start anywhere can reach the border. torchattacks' implementation.
    """

    use: ClassVar[str] = "pgd"

    norm: Literal["Linf", "L2"] = "Linf"
    steps: PositiveInt = 40
    step: Radius | None = None
    random_start: bool = True
    restarts: PositiveInt = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.step is not None and self.step == 0:
            raise BudgetError("pgd: a step of length 0 goes nowhere; leave `step` out for 2.5 * eps / steps.")
        if self.restarts > 1 and not self.random_start:
            raise BudgetError(f"pgd: {self.restarts} restarts without random_start are {self.restarts} times the same; set one of the two.")

    def passes(self) -> float:
        """Forward and backward in every step, a check between restarts."""
        return self.restarts * 2.0 * self.steps + (self.restarts - 1)

    def perturb(self, victim: Victim, batch: Batch, level: Fraction, seed: int) -> Tensor:
        """The last iterate of the last attempt on each sample, or the one that broke it."""
        from windtunnel.threats.library.adapter import Survivors

        survivors = Survivors(victim, batch, self.norm, float(level))
        for attempt in range(self.restarts - 1):
            survivors.offer(self._attempt(victim, survivors.batch, level, seed, attempt))
            if not len(survivors):
                return survivors.perturbed
        survivors.settle(self._attempt(victim, survivors.batch, level, seed, self.restarts - 1))
        return survivors.perturbed

    def _attempt(self, victim: Victim, batch: Batch, level: Fraction, seed: int, attempt: int) -> Tensor:
        from windtunnel.threats.library.adapter import attacked, library

        kind = library().PGD if self.norm == "Linf" else library().PGDL2
        step = float(self.step if self.step is not None else Fraction(5, 2) * level / self.steps)
        with attacked(victim, batch, seed, f"{self.use}/{attempt}", averaged=True) as network:
            attack = kind(network, eps=float(level), alpha=step, steps=self.steps, random_start=self.random_start)
            perturbed: Tensor = attack(batch.inputs, batch.labels)
        return perturbed
