"""L2-SP: the backbone is drawn to where it started."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.part import Answer, Fitting, Hooks, Minibatch, Regularisation
from windtunnel.recipes.arguments import Weight

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True, config=STRICT)
class L2SP(Regularisation):
    """Half the strength times the squared distance of the backbone from its pre-trained weights is added to the loss.

    The backbone then does not decay towards zero; the recipe's weight decay acts on the head.

    Args:
        strength: 0.1 as the paper selects most often among 0.001 to 1.
    Source:
        Li et al. 2018, arXiv 1802.01483, section 3. Deviation: with adamw the pull goes through the step sizes that it adapts; the paper
        trains by sgd.
    """

    use: ClassVar[str] = "l2-sp"
    needs_start: ClassVar[bool] = True

    strength: Weight = 0.1

    def begin(self, fitting: Fitting) -> Hooks:
        """The pull."""
        return _Pull(self.strength, fitting)


class _Pull(Hooks):
    def __init__(self, strength: float, fitting: Fitting) -> None:
        self.strength = strength
        named = fitting.network.backbone.named_parameters()
        self.pairs = [(parameter, fitting.start[f"backbone.{name}"]) for name, parameter in named if strength]

    def penalty(self, minibatch: Minibatch, answer: Answer) -> Tensor | None:
        import torch

        if not self.pairs:
            return None
        return self.strength / 2 * torch.stack([(parameter - before).square().sum() for parameter, before in self.pairs]).sum()

    def undecayed(self) -> Sequence[nn.Parameter]:
        return [parameter for parameter, _ in self.pairs]
