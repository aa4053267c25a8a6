"""LDIFS: features are drawn to those of the pre-trained network."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.part import Answer, Fitting, Hooks, Minibatch, Regularisation
from windtunnel.recipes.arguments import Weight

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FeatureDistance(Regularisation):
    """The strength times the squared distance of every sample's features from those that the pre-trained backbone gives it is added to the loss.

    Features are what each block of the backbone gives, and what the head sees; on texts, and where there are no blocks, the latter alone. A
    frozen copy of the backbone is kept beside the one that is trained, in evaluation mode.

    Args:
        strength: weight of the distance.
    Raises:
        RecipeError: a scope has put modules of its own into the backbone.
    Source:
        Mukhoti et al. 2023, arXiv 2308.13320 (LDIFS, the l2 distance in feature space), section 4.
    Deviation:
        Every layer's features are brought to length 1 first, so that layers of all sizes count alike; the strength is ours.
    """

    use: ClassVar[str] = "feature-distance"
    needs_start: ClassVar[bool] = True

    strength: Weight = 1.0

    def passes(self) -> float:
        """Forward through the frozen copy."""
        return 1.0 if self.strength else 0.0

    def begin(self, fitting: Fitting) -> Hooks:
        """The pull."""
        return _Held(self.strength, fitting) if self.strength else Hooks()


class _Held(Hooks):
    def __init__(self, strength: float, fitting: Fitting) -> None:
        from windtunnel.recipes.regularisation.layers import Layers, block_names, copy_of_start

        self.strength = strength
        self.network = fitting.network
        self.before = copy_of_start(fitting)
        names = block_names(fitting.network)
        self.now, self.then = Layers.of(fitting.network.backbone, names), Layers.of(self.before, names)

    def objective(self, minibatch: Minibatch, inner: Callable[[Minibatch], Tensor]) -> Tensor:
        with self.now.watched():
            return inner(minibatch)

    def penalty(self, minibatch: Minibatch, answer: Answer) -> Tensor:
        import torch

        from windtunnel.core.batch import joined

        found = [*self.now.taken(), torch.cat([answer.features, *(view.features for view in answer.views)])]
        with torch.no_grad(), self.then.watched():
            features = self.before(self.network.preprocess(joined((minibatch.inputs, *minibatch.views))))
            wanted = [*self.then.taken(), features]
        return self.strength * torch.stack([_distance(one, other) for one, other in zip(found, wanted, strict=True)]).sum(0).mean()


def _distance(one: Tensor, other: Tensor) -> Tensor:
    """Squared distance of two directions for each sample, (batch,)."""
    from torch.nn.functional import normalize

    return (normalize(one.flatten(1).float()) - normalize(other.flatten(1).float())).square().sum(1)
