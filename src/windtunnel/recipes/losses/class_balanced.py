"""Class-balanced loss: classes weigh as the inverse of their effective number of samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.part import Answer, Criterion, Fitting, Loss, Minibatch
from windtunnel.errors import RecipeError
from windtunnel.recipes.arguments import Share
from windtunnel.recipes.losses.cross_entropy import CrossEntropy
from windtunnel.recipes.parts import OneLoss

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ClassBalanced(Loss):
    """Another loss times (1 - beta) / (1 - beta^n) for each label, n being how often it occurs in the training split.

    The weights of the classes that occur are scaled to a mean of 1. That of the batch is then taken as it is: a batch of rare classes
    weighs more than one of frequent classes.

    Args:
        beta: how far frequent classes are held down: at 0 all classes weigh the same, towards 1 as the inverse of their frequency.
        loss: what is weighted; the paper also weighs `focal`.
    Raises:
        RecipeError: a loss that looks at the inputs or at the network as it was, or weighs samples itself.
    Source:
        Cui et al. 2019, arXiv 1901.05555, section 4; beta 0.9999 is the largest of the values tried there.
    """

    use: ClassVar[str] = "class-balanced"

    beta: Share = 0.9999
    loss: OneLoss = CrossEntropy()

    def __post_init__(self) -> None:
        if self.loss.sees_inputs or self.loss.needs_start or isinstance(self.loss, ClassBalanced):
            raise RecipeError(f"class-balanced cannot weigh {self.loss.use}; give it a loss of logits and labels alone, such as focal.")

    def begin(self, fitting: Fitting) -> Criterion:
        """The weighted loss of each sample."""
        import torch

        from windtunnel.recipes.losses.counts import counts

        inner, count = self.loss.begin(fitting), counts(fitting)
        # Without the factor 1 - beta, which the scaling takes out again; a class that does not occur is never asked for.
        raw = torch.where(count > 0, 1 / (1 - self.beta**count), 0.0)
        weights = (raw / raw.sum() * (count > 0).sum()).float().to(fitting.device)

        def each(answer: Answer, minibatch: Minibatch) -> Tensor:
            return weights[minibatch.labels] * inner(answer, minibatch)

        return each
