"""TrivialAugment: one operation for each image, at a random strength."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.modality import IMAGE
from windtunnel.core.part import Augmentation, Fitting, Hooks, Minibatch
from windtunnel.recipes.arguments import Chance, Weight

LEVELS = 31
"""Strengths to draw from, none included."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TrivialAugment(Augmentation):
    """Each image goes through one of 14 operations, drawn evenly, at one of 31 strengths of a wide range, drawn evenly.

    Args:
        p: chance that an image goes through any.
        pixels: the largest translation.
    Source:
        Müller and Hutter 2021, arXiv 2103.10158, section 3, with its wide ranges; pixels taken from the nearest one and black
        where nothing was, as in torchvision's implementation. The paper has no `p`; 1 is its method.
    """

    use: ClassVar[str] = "trivialaugment"
    modality: ClassVar[str] = IMAGE

    p: Chance = 1.0
    pixels: Weight = 32.0

    def begin(self, fitting: Fitting) -> Hooks:
        """The operation."""
        return _Operated(self, fitting)


class _Operated(Hooks):
    def __init__(self, settings: TrivialAugment, fitting: Fitting) -> None:
        from windtunnel.recipes.augmentation.tables import wide

        self.settings, self.fitting, self.table = settings, fitting, wide(settings.pixels)

    def augment(self, minibatch: Minibatch) -> Minibatch:
        from windtunnel.recipes.augmentation.tables import applied

        drawn = self.fitting.uniforms("trivialaugment", minibatch.ids, 4)
        chosen = np.where(drawn[:, 3] < self.settings.p, (drawn[:, 0] * len(self.table)).astype(int), -1)
        levels = np.floor(drawn[:, 1] * LEVELS) / (LEVELS - 1) * np.where(drawn[:, 2] < 0.5, -1, 1)
        return replace(minibatch, inputs=applied(minibatch.inputs, self.table, chosen, levels, "nearest"))
