"""Focal loss: samples that are classified well count little."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.part import Answer, Criterion, Fitting, Loss, Minibatch
from windtunnel.recipes.arguments import Weight

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Focal(Loss):
    """Cross-entropy times (1 - p) to the power of gamma, p being the probability of the label.

    Args:
        gamma: how much less a sample counts that is classified well; 0 is cross-entropy.
    Source:
        Lin et al. 2017, arXiv 1708.02002, section 3.2, equation 4. Deviation: the probability is a softmax over the classes, as labels
        here exclude each other; the paper has a sigmoid for each class. Without the paper's alpha, which weighs object against
        background; `class-balanced` weighs classes.
    """

    use: ClassVar[str] = "focal"

    gamma: Weight = 2.0

    def begin(self, fitting: Fitting) -> Criterion:
        """The loss of each sample."""
        import torch
        from torch.nn.functional import cross_entropy

        def each(answer: Answer, minibatch: Minibatch) -> Tensor:
            plain = cross_entropy(answer.logits, minibatch.labels, reduction="none")
            # Above 0, where a power below 1 has no gradient.
            missed = (-torch.expm1(-plain)).clamp_min(torch.finfo(plain.dtype).tiny)
            return missed.pow(self.gamma) * plain

        return each
