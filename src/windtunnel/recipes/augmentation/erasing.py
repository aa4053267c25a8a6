"""Random erasing: a rectangle of each image is overwritten by noise."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.modality import IMAGE
from windtunnel.core.part import Augmentation, Fitting, Hooks, Minibatch
from windtunnel.errors import RecipeError
from windtunnel.recipes.arguments import Chance

TRIES = 100
"""Rectangles drawn for an image until one fits in; an image for which none does stays as it is."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Erasing(Augmentation):
    """In some of the images a rectangle of random place, area and shape is filled with random values, each pixel another.

    Args:
        p: chance that an image loses a rectangle.
        smallest, largest: its area as a share of the image's.
        flattest: smallest ratio of its height to its width; its inverse is the largest.
    Raises:
        RecipeError: the smallest area is above the largest.
    Source:
        Zhong et al. 2020, arXiv 1708.04896, algorithm 1, with the published defaults (variant RE-R).
    """

    use: ClassVar[str] = "erasing"
    modality: ClassVar[str] = IMAGE

    p: Chance = 0.5
    smallest: Annotated[float, Field(gt=0, le=1)] = 0.02
    largest: Annotated[float, Field(gt=0, le=1)] = 0.4
    flattest: Annotated[float, Field(gt=0, le=1)] = 0.3

    def __post_init__(self) -> None:
        if self.smallest > self.largest:
            raise RecipeError(f"erasing: smallest ({self.smallest}) is above largest ({self.largest}); expected areas in ascending order.")

    def begin(self, fitting: Fitting) -> Hooks:
        """Erasing."""
        return _Erased(self, fitting)


class _Erased(Hooks):
    def __init__(self, settings: Erasing, fitting: Fitting) -> None:
        self.settings, self.fitting = settings, fitting

    def augment(self, minibatch: Minibatch) -> Minibatch:
        import torch

        ids, images = minibatch.ids, minibatch.inputs.clone()
        rows = np.flatnonzero(self.fitting.uniforms("erasing", ids, 1)[:, 0] < self.settings.p)
        channels, height, width = images.shape[1:]
        for row, random in zip(rows.tolist(), self.fitting.draws("erasing", [ids[row] for row in rows]), strict=True):
            found = rectangle(self.settings, height, width, random)
            if found is not None:
                values = random.random((channels, found[0].stop - found[0].start, found[1].stop - found[1].start), dtype=np.float32)
                images[row, :, found[0], found[1]] = torch.from_numpy(values).to(images)
        return replace(minibatch, inputs=images)


def rectangle(settings: Erasing, height: int, width: int, random: np.random.Generator) -> tuple[slice, slice] | None:
    """Rows and columns of a rectangle inside an image; None if none of many fits in."""
    drawn = random.random((TRIES, 4))
    area = height * width * (settings.smallest + drawn[:, 0] * (settings.largest - settings.smallest))
    ratio = settings.flattest + drawn[:, 1] * (1 / settings.flattest - settings.flattest)
    tall, wide = np.sqrt(area * ratio).astype(int), np.sqrt(area / ratio).astype(int)
    top, left = (drawn[:, 2] * height).astype(int), (drawn[:, 3] * width).astype(int)
    fits = np.flatnonzero((top + tall <= height) & (left + wide <= width))
    if not len(fits):
        return None
    first = fits[0]
    return slice(top[first], top[first] + tall[first]), slice(left[first], left[first] + wide[first])
