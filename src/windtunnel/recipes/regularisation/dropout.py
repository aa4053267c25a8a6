"""Dropout inside the backbone, and stochastic depth."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.modality import IMAGE
from windtunnel.core.part import Fitting, Hooks, Regularisation
from windtunnel.errors import RecipeError
from windtunnel.recipes.arguments import Share

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Dropout(Regularisation):
    """The rate of all dropout inside the backbone, which pre-trained networks come with, at whatever rate, or without.

    The recipe's own argument `dropout` is that of the features before the head.

    Args:
        rate: share of values that are set to zero while training; 0 turns it off.
    Raises:
        RecipeError: the backbone has no dropout layers.
    Source:
        Srivastava et al. 2014, JMLR 15, section 4; 0.1 as in Devlin et al. 2019, arXiv 1810.04805, appendix A.2.
    """

    use: ClassVar[str] = "dropout"

    rate: Share = 0.1

    def begin(self, fitting: Fitting) -> Hooks:
        """The rate while the stage runs."""
        from torch.nn.modules.dropout import _DropoutNd

        from windtunnel.recipes.regularisation.rates import Set

        backbone = fitting.network.backbone
        layers = [module for module in backbone.modules() if isinstance(module, _DropoutNd)]
        if not layers:
            kinds = sorted({type(module).__name__ for module in backbone.modules() if not list(module.children())})
            raise RecipeError(f"The backbone has no dropout layers to set a rate of; it is made of {', '.join(kinds)}. Leave `dropout` out.")
        return Set({layer: {"p": self.rate} for layer in layers})


@dataclass(frozen=True, kw_only=True, config=STRICT)
class StochasticDepth(Regularisation):
    """Residual blocks are passed by at random, the later ones more often.

    The last block is left out with the probability `rate`, block l of L with l / L of it; for each sample by itself. What passes is scaled up,
    so that nothing is to be done when the network is evaluated.

    Args:
        rate: probability for the last block.
    Raises:
        RecipeError: the backbone has no residual blocks that can be left out, as those of timm and torchvision can.
    Source:
        Huang et al. 2016, arXiv 1603.09382, section 3 (equation 4), with its survival of 0.5 of the last block. Deviation: drawn for each
        sample, as timm and torchvision do, where the paper draws for each batch; scaled while training, where the paper scales in the test.
    """

    use: ClassVar[str] = "stochastic-depth"
    modality: ClassVar[str] = IMAGE

    rate: Share = 0.5

    def begin(self, fitting: Fitting) -> Hooks:
        """The rates while the stage runs."""
        from torchvision.ops import StochasticDepth as Path

        from windtunnel.recipes.regularisation.rates import Set, paths

        backbone = fitting.network.backbone
        places = list(paths(backbone))
        blocks = list(dict.fromkeys(module for module, _ in places))
        if not blocks:
            names = ", ".join(dict.fromkeys(type(module).__name__ for module in backbone.modules()))
            raise RecipeError(f"The backbone has no residual blocks that can be left out; it is made of {names}. Leave `stochastic-depth` out.")
        values: dict[nn.Module, dict[str, nn.Module]] = {}
        for module, name in places:
            rate = self.rate * (blocks.index(module) + 1) / len(blocks)
            values.setdefault(module, {})[name] = Path(rate, "row").train(module.training)
        return Set(values)
