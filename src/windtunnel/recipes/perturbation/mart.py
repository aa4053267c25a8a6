"""MART: adversarial training that minds the samples which are misclassified already."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.part import Answer, Fitting, Hooks, Minibatch
from windtunnel.recipes.arguments import Weight
from windtunnel.recipes.perturbation.opposed import Opposed, found_by

if TYPE_CHECKING:
    from torch import Tensor

ROOM = 1e-4
"""Added to one minus the largest wrong probability, so that its logarithm exists; as in the authors' code (YisenWang/MART, mart.py)."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Mart(Opposed):
    """Loss and margin on perturbed inputs, and predictions that stay as on clean ones, weighted by how wrong the network is there.

    To the loss on perturbed inputs come minus the logarithm of one minus the largest probability of a wrong class there, and `weight` times
    KL(clean || perturbed) times one minus the probability of the label on the clean input.

    Args:
        threat: what perturbs; as published pgd of 10 steps with `stop_when_broken: false`.
        judge: the threat under which an epoch is judged; the training threat if left out.
        weight: of the divergence, the paper's lambda.
    Raises:
        RecipeError: a threat that changes nothing.
    Source:
        Wang et al. 2020, "Improving adversarial robustness requires revisiting misclassified examples", ICLR, equations 10 to 13, section 4.
    """

    use: ClassVar[str] = "mart"

    weight: Weight = 5.0

    def passes(self) -> float:
        """The threat, and forward and backward on the clean inputs."""
        return 2.0 + self.threat.passes()

    def begin(self, fitting: Fitting) -> Hooks:
        """Perturbing each minibatch, and what is added to the loss."""
        return _Aware(self, fitting)


class _Aware(Hooks):
    def __init__(self, settings: Mart, fitting: Fitting) -> None:
        self.settings, self.fitting = settings, fitting

    def perturb(self, minibatch: Minibatch) -> Minibatch:
        return replace(minibatch, inputs=found_by(self.settings.threat, self.fitting, minibatch), clean=minibatch.inputs)

    def penalty(self, minibatch: Minibatch, answer: Answer) -> Tensor:
        from windtunnel.recipes.divergence import kullback_leibler

        labels = minibatch.labels[:, None]
        wrong = answer.logits.softmax(1).scatter(1, labels, 0).amax(1)
        clean = self.fitting.answer(replace(minibatch, inputs=minibatch.clean, clean=None, views=())).logits
        doubt = 1 - clean.softmax(1).gather(1, labels).squeeze(1)
        return (self.settings.weight * kullback_leibler(clean, answer.logits) * doubt - (1 - wrong + ROOM).log()).mean()
