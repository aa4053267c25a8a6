"""SAM and ASAM: steps by the gradient at the sharpest place nearby, so that what is found lies in a flat valley."""

from __future__ import annotations

from typing import ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.part import Fitting, Hooks, Regularisation
from windtunnel.recipes.arguments import Weight


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SAM(Regularisation):
    """Sharpness-aware minimisation: the gradient is taken where the weights are moved by `rho` along the first one.

    Args:
        rho: length of the move, over all parameters that move; 0 makes plain steps.
    Source:
        Foret et al. 2021, arXiv 2010.01412, section 3, algorithm 1. Batch statistics are counted in the first pass alone, as implementations
        in PyTorch do (davda54/sam). The perturbed inputs of a recipe that trains against a threat are the same in both passes.
    """

    use: ClassVar[str] = "sam"

    rho: Weight = 0.05

    def passes(self) -> float:
        """Forward and backward once more."""
        return 2.0 if self.rho else 0.0

    def begin(self, fitting: Fitting) -> Hooks:
        """The move and the way back."""
        from windtunnel.recipes.regularisation.climbing import Sharp

        return Sharp(fitting, self.rho) if self.rho else Hooks()


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ASAM(Regularisation):
    """Adaptive SAM: moves are measured by the size of the weights, so that scaling a layer changes nothing.

    Args:
        rho: length of the move in that measure; 0 makes plain steps.
        eta: added to the size of each weight.
    Source:
        Kwon et al. 2021, arXiv 2102.11600, algorithm 1, with its values for CIFAR-10; biases are measured as they are, as in the authors' code
        (SamsungLabs/ASAM, asam.py). Batch statistics as with `sam`.
    """

    use: ClassVar[str] = "asam"

    rho: Weight = 0.5
    eta: Weight = 0.01

    def passes(self) -> float:
        """Forward and backward once more."""
        return 2.0 if self.rho else 0.0

    def begin(self, fitting: Fitting) -> Hooks:
        """The move and the way back."""
        from windtunnel.recipes.regularisation.climbing import Sharp

        return Sharp(fitting, self.rho, self.eta) if self.rho else Hooks()
