"""CutMix: paste a rectangle of one image into another, and mix their losses by area."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.modality import IMAGE
from windtunnel.core.part import Fitting, Hooks, Minibatch
from windtunnel.recipes.augmentation.pairs import Mixture

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CutMix(Mixture):
    """A rectangle of each image shows what another one of its minibatch has there; the two labels' losses are weighted by the areas.

    Args:
        alpha: of Beta(alpha, alpha), which the image's own share of the area is drawn from, before the rectangle is cut at the rim.
        p: chance that an image is mixed at all.
    Source:
        Yun et al. 2019, arXiv 1905.04899, section 3.1, with alpha 1 as published.
    Deviation:
        Each image draws a rectangle of its own, where the published code draws one for a minibatch, so that the draw does not depend on
        who else is in it.
    """

    use: ClassVar[str] = "cutmix"
    modality: ClassVar[str] = IMAGE

    def begin(self, fitting: Fitting) -> Hooks:
        """Pasting."""
        return _Pasted(self, fitting)


class _Pasted(Hooks):
    def __init__(self, settings: CutMix, fitting: Fitting) -> None:
        self.settings, self.fitting = settings, fitting

    def augment(self, minibatch: Minibatch) -> Minibatch:
        import torch

        images, pairs = minibatch.inputs, self.settings.pairs(self.fitting, minibatch.ids)
        centres = self.fitting.uniforms("cutmix-centre", minibatch.ids, 2)
        cut = rectangles(pairs.share, centres, *images.shape[2:])
        partner = torch.from_numpy(pairs.partner).to(images.device)
        own = torch.from_numpy(~cut).to(images.device)[:, None]

        def pasted(each: Tensor) -> Tensor:
            # Into memory laid out as the images are, so that a network rounds as it does on images that are not mixed.
            return torch.where(own, each, each[partner], out=torch.empty_like(each))

        share = torch.from_numpy(1 - cut.mean((1, 2))).to(images)
        return replace(minibatch, inputs=pasted(images), views=tuple(map(pasted, minibatch.views)), other=minibatch.labels[partner], share=share)


def rectangles(share: np.ndarray, centres: np.ndarray, height: int, width: int) -> np.ndarray:
    """Where another image shows, (batch, height, width), bool.

    Args:
        share: of the image's own area, before the rectangle is cut at the rim.
        centres: of the rectangles, in [0, 1).
    Shapes:
        share (batch,); centres (batch, 2), down and across.
    """
    side = np.sqrt(1 - share)

    def span(size: int, centre: np.ndarray) -> np.ndarray:
        middle, half = (centre * size).astype(int), (side * size).astype(int) // 2
        places = np.arange(size)
        found: np.ndarray = (places >= (middle - half)[:, None]) & (places < (middle + half)[:, None])
        return found

    inside: np.ndarray = span(height, centres[:, 0])[:, :, None] & span(width, centres[:, 1])[:, None, :]
    return inside
