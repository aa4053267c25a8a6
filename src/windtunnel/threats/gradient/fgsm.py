"""FGSM: one step along the sign of the gradient."""

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
    """The fast gradient sign method.

    Args:
        norm: "Linf".
        eps: radius in input units, where inputs lie in [0, 1]; several make one curve.
    Source:
        Goodfellow et al. 2015, arXiv 1412.6572, section 4; torchattacks' implementation.
    """

    use: ClassVar[str] = "fgsm"

    norm: Literal["Linf"] = "Linf"

    def passes(self) -> float:
        """One forward, one backward."""
        return 2

    def perturb(self, victim: Victim, batch: Batch, level: Fraction, seed: int) -> Tensor:
        """Inputs moved by `level` in every pixel, clipped to [0, 1]."""
        from windtunnel.threats.library.adapter import attacked, library

        with attacked(victim, batch, seed, self.use, averaged=True) as network:
            perturbed: Tensor = library().FGSM(network, eps=float(level))(batch.inputs, batch.labels)
        return perturbed
