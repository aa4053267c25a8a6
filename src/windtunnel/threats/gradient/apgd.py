"""APGD: projected gradient descent that chooses its own step size."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, PositiveInt
from pydantic.dataclasses import dataclass

from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT
from windtunnel.core.victim import Victim
from windtunnel.errors import VictimError
from windtunnel.threats.attack import Attack

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class APGD(Attack):
    """Auto-PGD: momentum, and a step size halved when progress stalls.

    Args:
        norm: "Linf" or "L2".
        eps: radius in input units, where inputs lie in [0, 1]; several make one curve.
        loss: "ce" (cross-entropy) or "dlr" (difference of logits ratio, for three classes or more).
        steps: gradient steps.
        restarts: attempts; each further one runs on the samples that still stand.
        rho: share of improving steps below which the step size is halved.
    Source:
        Croce and Hein 2020, arXiv 2003.01690, section 3; torchattacks' implementation.
    """

    use: ClassVar[str] = "apgd"

    norm: Literal["Linf", "L2"] = "Linf"
    loss: Literal["ce", "dlr"] = "ce"
    steps: PositiveInt = 100
    restarts: PositiveInt = 1
    rho: Annotated[float, Field(gt=0, le=1)] = 0.75  # the paper's value, section 3.1

    def passes(self) -> float:
        """Forward and backward at the start and in every step, a check between restarts."""
        return self.restarts * 2.0 * (self.steps + 1) + (self.restarts - 1)

    def perturb(self, victim: Victim, batch: Batch, level: Fraction, seed: int) -> Tensor:
        """The last point that broke each sample, or the one of highest loss where none did.

        Raises:
            VictimError: the DLR loss on fewer than three classes.
        """
        from windtunnel.threats.library.adapter import Survivors
        from windtunnel.threats.library.ensemble import apgd

        if self.loss == "dlr" and (classes := class_count(victim, batch)) < 3:
            raise VictimError(f"apgd: the DLR loss compares three logits, but {victim.name} has {classes} classes; use loss: ce.")
        survivors = Survivors(victim, batch, self.norm, float(level))
        for attempt in range(self.restarts):
            found = apgd(survivors, seed, f"{self.use}/{attempt}", loss=self.loss, steps=self.steps, rho=self.rho)
            if attempt == self.restarts - 1:
                survivors.settle(found)
                break
            survivors.offer(found)
            if not len(survivors):
                break
        return survivors.perturbed


def class_count(victim: Victim, batch: Batch) -> int:
    """Number of logits the victim answers with; one sample is asked where its classes have no names."""
    return len(victim.classes) or int(victim.logits(batch.inputs[:1]).shape[1])
