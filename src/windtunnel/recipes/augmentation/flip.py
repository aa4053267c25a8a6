"""Flip: mirror images at random."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.modality import IMAGE
from windtunnel.core.part import Augmentation, Fitting, Hooks, Minibatch
from windtunnel.recipes.arguments import Chance


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Flip(Augmentation):
    """Each image is mirrored left to right with a chance; not for classes that a mirror changes, such as digits.

    Args:
        p: the chance.
    Source:
        Krizhevsky et al. 2012, "ImageNet Classification with Deep Convolutional Neural Networks", section 4.1.
    """

    use: ClassVar[str] = "flip"
    modality: ClassVar[str] = IMAGE

    p: Chance = 0.5

    def begin(self, fitting: Fitting) -> Hooks:
        """Mirroring."""
        return _Mirrored(self.p, fitting)


class _Mirrored(Hooks):
    def __init__(self, p: float, fitting: Fitting) -> None:
        self.p, self.fitting = p, fitting

    def augment(self, minibatch: Minibatch) -> Minibatch:
        import torch

        images = minibatch.inputs
        drawn = torch.from_numpy(self.fitting.uniforms("flip", minibatch.ids, 1) < self.p).to(images.device)
        return replace(minibatch, inputs=torch.where(drawn[..., None, None], images.flip(3), images))
