"""RandAugment: a few operations drawn for each image, all at one magnitude."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.modality import IMAGE
from windtunnel.core.part import Augmentation, Fitting, Hooks, Minibatch


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RandAugment(Augmentation):
    """Each image goes through operations drawn evenly from 14, in a random direction where there are two.

    Args:
        operations: how many, one after the other; N of the paper.
        magnitude: of 30; M of the paper.
    Source:
        Cubuk et al. 2020, arXiv 1909.13719, figure 2 and section 3, with 2 and 9, as published for ResNet-50 on ImageNet; ranges as in
        AutoAugment, pixels taken from the nearest one and black where nothing was, as in torchvision's implementation.
    """

    use: ClassVar[str] = "randaugment"
    modality: ClassVar[str] = IMAGE

    operations: Annotated[int, Field(ge=0, le=14)] = 2
    magnitude: Annotated[float, Field(ge=0, le=30)] = 9.0

    def begin(self, fitting: Fitting) -> Hooks:
        """The operations."""
        return _Operated(self, fitting)


class _Operated(Hooks):
    def __init__(self, settings: RandAugment, fitting: Fitting) -> None:
        self.settings, self.fitting = settings, fitting

    def augment(self, minibatch: Minibatch) -> Minibatch:
        from windtunnel.recipes.augmentation.tables import RANDAUGMENT, applied

        images, count = minibatch.inputs, self.settings.operations
        drawn = self.fitting.uniforms("randaugment", minibatch.ids, 2 * count)
        for step in range(count):
            chosen = (drawn[:, 2 * step] * len(RANDAUGMENT)).astype(int)
            signs = np.where(drawn[:, 2 * step + 1] < 0.5, -1, 1)
            images = applied(images, RANDAUGMENT, chosen, signs * self.settings.magnitude / 30, "nearest")
        return replace(minibatch, inputs=images)
