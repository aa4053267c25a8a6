"""Crop: cut images out of a black frame around them, a little off the centre."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.modality import IMAGE
from windtunnel.core.part import Augmentation, Fitting, Hooks, Minibatch
from windtunnel.recipes.arguments import Share


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Crop(Augmentation):
    """Each image gets a black frame, and a window of the image's size is cut out of that at random.

    Args:
        padding: width of the frame as a share of the side, rounded to whole pixels; 4 of 32 as published for CIFAR.
    Source:
        He et al. 2016, arXiv 1512.03385, section 4.2.
    """

    use: ClassVar[str] = "crop"
    modality: ClassVar[str] = IMAGE

    padding: Share = 4 / 32

    def begin(self, fitting: Fitting) -> Hooks:
        """Cutting out."""
        return _Cut(self.padding, fitting)


class _Cut(Hooks):
    def __init__(self, padding: float, fitting: Fitting) -> None:
        self.padding, self.fitting = padding, fitting

    def augment(self, minibatch: Minibatch) -> Minibatch:
        import torch
        from torch.nn.functional import pad

        images = minibatch.inputs
        height, width = images.shape[2:]
        frame = (round(self.padding * height), round(self.padding * width))
        drawn = torch.from_numpy(self.fitting.uniforms("crop", minibatch.ids, 2)).to(images.device)
        top, left = (drawn * torch.tensor([[2 * side + 1 for side in frame]], device=images.device)).long().unbind(1)
        windows = pad(images, (frame[1], frame[1], frame[0], frame[0])).unfold(2, height, 1).unfold(3, width, 1)
        rows = torch.arange(len(images), device=images.device)
        return replace(minibatch, inputs=windows[rows, :, top, left].contiguous())
