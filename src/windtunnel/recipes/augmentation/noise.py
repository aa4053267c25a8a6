"""Noise: train on images under Gaussian noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.modality import IMAGE
from windtunnel.core.part import Augmentation, Fitting, Hooks, Minibatch
from windtunnel.errors import RecipeError
from windtunnel.recipes.arguments import Chance, Weight

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Noise(Augmentation):
    """Independent Gaussian noise is added to the pixels of some of the images, which are then clipped to [0, 1].

    Args:
        sigma: standard deviation in input units; of several, each image draws one.
        p: chance that an image gets noise at all.
    Raises:
        RecipeError: an empty list of deviations.
    Source:
        Rusak et al. 2020, arXiv 2001.06057, section 3.1, where 0.5 serves best against corruptions; Cohen et al. 2019, arXiv 1902.02918, who
        train so for randomised smoothing.
    Deviation:
        Cohen et al. do not clip. Every second image stays as it is, so that clean accuracy is kept; ours. `p: 1` gives noise to all.
    """

    use: ClassVar[str] = "noise"
    modality: ClassVar[str] = IMAGE

    sigma: Weight | tuple[Weight, ...] = 0.5
    p: Chance = 0.5

    def __post_init__(self) -> None:
        if self.sigma == ():
            raise RecipeError("noise: sigma is an empty list; give at least one standard deviation, such as 0.5.")

    @property
    def sigmas(self) -> tuple[float, ...]:
        """All deviations."""
        return self.sigma if isinstance(self.sigma, tuple) else (self.sigma,)

    def begin(self, fitting: Fitting) -> Hooks:
        """Adding noise."""
        return _Noisy(self, fitting)


class _Noisy(Hooks):
    def __init__(self, settings: Noise, fitting: Fitting) -> None:
        self.settings, self.fitting = settings, fitting

    def augment(self, minibatch: Minibatch) -> Minibatch:
        import torch

        images, sigmas = minibatch.inputs, np.array(self.settings.sigmas)
        drawn = self.fitting.uniforms("noise", minibatch.ids, 2)
        rows = np.flatnonzero(drawn[:, 0] < self.settings.p)
        if not len(rows):
            return minibatch
        sigma = torch.from_numpy(sigmas[(drawn[rows, 1] * len(sigmas)).astype(int)]).to(images)
        place = torch.from_numpy(rows).to(images.device)
        pixels = normals(self.fitting, "noise-values", [minibatch.ids[row] for row in rows], images)
        changed = images.clone()
        changed[place] = (images[place] + sigma.view(-1, 1, 1, 1) * pixels).clamp_(0, 1)
        return replace(minibatch, inputs=changed)


def normals(fitting: Fitting, purpose: str, ids: Sequence[str], like: Tensor) -> Tensor:
    """Standard normal numbers for images, each sample's by its own generator.

    Shapes:
        like (any, channel, height, width); returns (len(ids), channel, height, width).
    """
    import torch

    numbers, random = torch.empty((len(ids), *like.shape[1:])), torch.Generator()
    for row, key in zip(numbers, (fitting.uniforms(purpose, ids, 1)[:, 0] * 2**53).astype(int).tolist(), strict=True):
        row.normal_(generator=random.manual_seed(key))
    return numbers.to(like)
