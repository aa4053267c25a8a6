"""Distillation: the network is held to what its pre-trained features already say about the classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.part import Answer, Criterion, Fitting, Loss, Minibatch
from windtunnel.errors import RecipeError
from windtunnel.recipes.arguments import Rate

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Distillation(Loss):
    """Cross-entropy with the labels and, at a temperature, with the answer of a teacher: the pre-trained network under a linear probe.

    The pre-trained network knows nothing of the classes of the data, so it is given a head first: a logistic regression on its features
    of the training split. The teacher then stays as it is, and answers the same inputs as the network, augmented and perturbed.

    Args:
        weight: share of the teacher in the loss; 0 is cross-entropy.
        temperature: by which the logits of both are divided for the teacher's term; that is scaled by its square.
    Raises:
        RecipeError: samples that are mixed inside the network, of which the teacher sees nothing.
    Source:
        Hinton et al. 2015, arXiv 1503.02531, section 2; temperature 2 and equal weights as in section 4.1. Deviation: the teacher is no
        larger network, but the one that the training started from. The term is the divergence from the teacher, which differs from the
        paper's cross-entropy by what does not depend on the network.
    """

    use: ClassVar[str] = "distillation"
    needs_start: ClassVar[bool] = True
    sees_inputs: ClassVar[bool] = True

    weight: Annotated[float, Field(ge=0, le=1)] = 0.5
    temperature: Rate = 2.0

    def passes(self) -> float:
        """The teacher's forward pass."""
        return 1.0

    def begin(self, fitting: Fitting) -> Criterion:
        """Both terms for each sample."""
        from torch.nn.functional import cross_entropy, kl_div

        from windtunnel.recipes.losses.probe import probed

        assert fitting.origin is not None, "it is there for parts that need the start"
        teacher, heat = probed(fitting.origin, fitting.train, fitting.device), self.temperature

        def each(answer: Answer, minibatch: Minibatch) -> Tensor:
            if minibatch.partner is not None:
                raise RecipeError("distillation asks its teacher about inputs; it does not go together with samples mixed inside the network.")
            plain = cross_entropy(answer.logits, minibatch.labels, reduction="none")
            taught = (teacher(minibatch.inputs) / heat).log_softmax(1)
            apart = kl_div((answer.logits / heat).log_softmax(1), taught, reduction="none", log_target=True).sum(1)
            return (1 - self.weight) * plain + self.weight * heat**2 * apart

        return each
