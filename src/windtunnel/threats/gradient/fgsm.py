"""FGSM: one step along the gradient."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic.dataclasses import dataclass

from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT
from windtunnel.core.victim import Victim
from windtunnel.threats.attack import Attack

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FGSM(Attack):
    """The fast gradient sign method; in L2 the fast gradient method, a step of length eps along the gradient.

    Args:
        norm: "Linf" or "L2".
        eps: radius in input units, where inputs lie in [0, 1]; several make one curve.
    Source:
        Goodfellow et al. 2015, arXiv 1412.6572, section 4.
    """

    use: ClassVar[str] = "fgsm"
    version: ClassVar[int] = 2

    norm: Literal["Linf", "L2"] = "Linf"

    def passes(self) -> float:
        """One forward, one backward."""
        return 2

    def perturb(self, victim: Victim, batch: Batch, level: Fraction, seed: int) -> Tensor:
        """Inputs moved by `level` along the gradient, clipped to [0, 1]."""
        from windtunnel.core.ball import steepest
        from windtunnel.threats.losses import cross_entropy

        _, _, gradient = victim.gradient(batch.inputs, lambda logits: cross_entropy(logits, batch.labels))
        return (batch.inputs + float(level) * steepest(self.norm, gradient)).clamp(0, 1)
