"""Stage: one phase of a composed recipe, by what is different in it."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT, Configured
from windtunnel.recipes.arguments import Count, Rate, Schedule, Share, Weight
from windtunnel.recipes.parts import MaybeAugmentations, MaybeAveraging, MaybeLoss, MaybePerturbation, MaybeRegularisations, MaybeScope


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Stage(Configured):
    """What one phase of training does otherwise than the recipe says; what is left out is as in the recipe.

    Args:
        name: shown in the training curves; the scope's name if left out.
        scope: which parameters move.
        epochs: passes over the training split.
        batch: samples a step.
        lr: peak learning rate.
        weight_decay: as in the recipe.
        schedule: as in the recipe.
        warmup: share of the stage's steps over which the rate rises.
        layer_decay: as in the recipe.
        loss: what is minimised.
        augment: changes of the training inputs.
        regularise: what holds the network back.
        perturb: training against the network.
        average: an average of the weights along the way.
    """

    use: ClassVar[str] = "stage"

    name: str | None = None
    scope: MaybeScope = None
    epochs: Count | None = None
    batch: Count | None = None
    lr: Rate | None = None
    weight_decay: Weight | None = None
    schedule: Schedule | None = None
    warmup: Share | None = None
    layer_decay: Rate | None = None
    loss: MaybeLoss = None
    augment: MaybeAugmentations = None
    regularise: MaybeRegularisations = None
    perturb: MaybePerturbation = None
    average: MaybeAveraging = None

    def differences(self) -> dict[str, Any]:
        """The arguments that the recipe's are replaced by."""
        given = {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name != "name"}
        return {name: value for name, value in given.items() if value is not None}
