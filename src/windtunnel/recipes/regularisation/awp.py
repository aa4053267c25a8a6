"""AWP: adversarial training against perturbed inputs and perturbed weights at once."""

from __future__ import annotations

from typing import ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.part import Fitting, Hooks, Regularisation
from windtunnel.recipes.arguments import Weight


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AWP(Regularisation):
    """The gradient is taken where each layer's weights are moved along the first one by a share of their own length.

    Goes with any `perturb`; the loss that is climbed is the one that is trained on, and the perturbed inputs are the same in both passes.

    Args:
        gamma: that share; the authors take 0.01 with PGD training and 0.005 with TRADES; 0 makes plain steps.
    Source:
        Wu et al. 2020, arXiv 2004.05884, section 4 (equations 9 and 10) and algorithm 1, with one step of each search; weights of more than one
        dimension, as in the authors' code (csdongxian/AWP, utils_awp.py).
    Deviation:
        Batch statistics are those of the weights where they stand; published they are those of the moved ones. The step, with its weight decay,
        starts from the weights where they stand. It begins with the first epoch; the authors begin with the eleventh for TRADES.
    """

    use: ClassVar[str] = "awp"

    gamma: Weight = 0.005

    def passes(self) -> float:
        """Forward and backward once more."""
        return 2.0 if self.gamma else 0.0

    def begin(self, fitting: Fitting) -> Hooks:
        """The move and the way back."""
        from windtunnel.recipes.regularisation.climbing import Adverse

        return Adverse(fitting, self.gamma) if self.gamma else Hooks()
