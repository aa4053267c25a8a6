"""Losses that hold against wrong labels: generalised and symmetric cross-entropy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.part import Answer, Criterion, Fitting, Loss, Minibatch
from windtunnel.recipes.arguments import Weight

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class GeneralisedCrossEntropy(Loss):
    """(1 - p^q) / q, p being the probability of the label: between cross-entropy and the mean absolute error.

    Args:
        q: towards 0 it is cross-entropy, which learns fast and wrong labels, too; at 1 the mean absolute error, which heeds them little.
    Source:
        Zhang and Sabuncu 2018, arXiv 1805.07836, section 3.2, equation 6, with the q of its experiments. Not the truncated form of
        section 3.3.
    """

    use: ClassVar[str] = "generalised-cross-entropy"

    q: Annotated[float, Field(ge=0, le=1)] = 0.7

    def begin(self, fitting: Fitting) -> Criterion:
        """The loss of each sample."""
        import torch
        from torch.nn.functional import cross_entropy

        def each(answer: Answer, minibatch: Minibatch) -> Tensor:
            plain = cross_entropy(answer.logits, minibatch.labels, reduction="none")
            return -torch.expm1(-self.q * plain) / self.q if self.q else plain

        return each


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SymmetricCrossEntropy(Loss):
    """Alpha times cross-entropy and beta times cross-entropy with label and answer in each other's place.

    Args:
        alpha: weight of cross-entropy.
        beta: weight of the reverse, which is -A (1 - p) with p the probability of the label.
        floor: A, what the logarithm of 0 stands for; below 0.
    Source:
        Wang et al. 2019, arXiv 1908.06112, section 3; alpha and beta are those for CIFAR-10 in section 4. A is what the authors use for
        classification (issue 5 of their repository); their code, which clips labels at 1e-4 instead, has -9.2.
    """

    use: ClassVar[str] = "symmetric-cross-entropy"

    alpha: Weight = 0.1
    beta: Weight = 1.0
    floor: Annotated[float, Field(lt=0)] = -4.0

    def begin(self, fitting: Fitting) -> Criterion:
        """The loss of each sample."""
        import torch
        from torch.nn.functional import cross_entropy

        def each(answer: Answer, minibatch: Minibatch) -> Tensor:
            plain = cross_entropy(answer.logits, minibatch.labels, reduction="none")
            return self.alpha * plain + self.beta * self.floor * torch.expm1(-plain)

        return each
