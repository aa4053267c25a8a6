"""Mixup: train on weighted means of two images and of their losses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.modality import IMAGE
from windtunnel.core.part import Fitting, Hooks, Minibatch
from windtunnel.recipes.augmentation.pairs import Alpha, Mixture

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Mixup(Mixture):
    """Each image is a weighted mean of itself and of another one of its minibatch; the loss is the same mean of the two labels' losses.

    Args:
        alpha: of Beta(alpha, alpha), which each image's own share is drawn from; 0.2 as published for ImageNet, 1 for CIFAR.
        p: chance that an image is mixed at all.
    Source:
        Zhang et al. 2018, arXiv 1710.09412, equation 1 and section 3.
    Deviation:
        Each image draws a share of its own, where the published code draws one for a minibatch, so that the draw does not depend on who
        else is in it.
    """

    use: ClassVar[str] = "mixup"
    modality: ClassVar[str] = IMAGE

    alpha: Alpha = 0.2

    def begin(self, fitting: Fitting) -> Hooks:
        """Mixing images."""
        return _Mixed(self, fitting)


class _Mixed(Hooks):
    def __init__(self, settings: Mixup, fitting: Fitting) -> None:
        self.settings, self.fitting = settings, fitting

    def augment(self, minibatch: Minibatch) -> Minibatch:
        import torch

        images, pairs = minibatch.inputs, self.settings.pairs(self.fitting, minibatch.ids)
        partner = torch.from_numpy(pairs.partner).to(images.device)
        share = torch.from_numpy(pairs.share).to(images)
        weight = share.view(-1, 1, 1, 1)

        def mixed(each: Tensor) -> Tensor:
            return torch.lerp(each[partner], each, weight)

        return replace(minibatch, inputs=mixed(images), views=tuple(map(mixed, minibatch.views)), other=minibatch.labels[partner], share=share)
