"""Embedding mixup: mix what the head sees of two samples, and their losses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.part import Fitting, Hooks, Minibatch
from windtunnel.recipes.augmentation.pairs import Alpha, Mixture

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class EmbeddingMixup(Mixture):
    """The head sees a weighted mean of the features of each sample and of another one; the loss is the same mean of the two labels' losses.

    Args:
        alpha: of Beta(alpha, alpha), which each sample's own share is drawn from.
        p: chance that a sample is mixed at all.
    Source:
        Sun et al. 2020, arXiv 2010.02394, section 3, for the pooled output of transformers; on images the deepest layer of manifold mixup,
        Verma et al. 2019, arXiv 1806.05236.
    Deviation:
        Each sample draws a share of its own, as in `mixup`; all epochs are mixed.
    """

    use: ClassVar[str] = "embedding-mixup"

    alpha: Alpha = 0.2

    def begin(self, fitting: Fitting) -> Hooks:
        """Mixing features."""
        return _Mixed(self, fitting)


class _Mixed(Hooks):
    def __init__(self, settings: EmbeddingMixup, fitting: Fitting) -> None:
        self.settings, self.fitting = settings, fitting

    def augment(self, minibatch: Minibatch) -> Minibatch:
        import torch

        pairs, device = self.settings.pairs(self.fitting, minibatch.ids), minibatch.labels.device
        partner = torch.from_numpy(pairs.partner).to(device)
        share = torch.from_numpy(pairs.share).to(device, torch.float32)
        return replace(minibatch, other=minibatch.labels[partner], share=share, partner=partner)

    def featured(self, minibatch: Minibatch, features: Tensor) -> Tensor:
        import torch

        if minibatch.partner is None or minibatch.share is None:
            return features
        # The views of the samples follow the samples, in the same order.
        parts = features.view(-1, *minibatch.share.shape, features.shape[1])
        mixed = torch.lerp(parts[:, minibatch.partner], parts, minibatch.share.to(features)[:, None])
        return mixed.flatten(0, 1)
