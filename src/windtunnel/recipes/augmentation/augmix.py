"""AugMix: mixtures of augmentation chains, and the consistency loss that goes with them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.modality import IMAGE
from windtunnel.core.part import Answer, Augmentation, Fitting, Hooks, Minibatch
from windtunnel.recipes.arguments import Count, Rate, Weight

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AugMix(Augmentation):
    """Two mixtures of random chains of operations beside each clean image, and a penalty on predictions that differ between the three.

    It is the last in a list, save for mixtures of labels: others change the clean image and not its mixtures.

    Args:
        width: chains that are mixed.
        depth: operations of a chain; between one and so many, at random.
        severity: largest strength of an operation, of 10.
        alpha: parameter of the Dirichlet and Beta distributions that the mixing weights come from.
        consistency: weight of the Jensen-Shannon divergence of the three predictions.
    Source:
        Hendrycks et al. 2020, arXiv 1912.02781, algorithm 1 and equation 2, with the published defaults.
    """

    use: ClassVar[str] = "augmix"
    modality: ClassVar[str] = IMAGE

    width: Count = 3
    depth: Count = 3
    severity: Rate = 3.0
    alpha: Rate = 1.0
    consistency: Weight = 12.0

    def passes(self) -> float:
        """Forward and backward on two more images."""
        return 4.0

    def begin(self, fitting: Fitting) -> Hooks:
        """Two views of each image, and the divergence."""
        return _Consistent(self, fitting)


class _Consistent(Hooks):
    def __init__(self, settings: AugMix, fitting: Fitting) -> None:
        self.settings, self.fitting = settings, fitting

    def augment(self, minibatch: Minibatch) -> Minibatch:
        from windtunnel.recipes.augmentation.mixtures import mixed, numbers

        drawn = [self.fitting.uniforms(f"augmix-{view}", minibatch.ids, numbers(self.settings)) for view in ("first", "second")]
        return replace(minibatch, views=(*minibatch.views, *mixed(minibatch.inputs, drawn, self.settings)))

    def penalty(self, minibatch: Minibatch, answer: Answer) -> Tensor | None:
        from windtunnel.recipes.divergence import jensen_shannon

        return self.settings.consistency * jensen_shannon([each.logits for each in (answer, *answer.views)]).mean()
