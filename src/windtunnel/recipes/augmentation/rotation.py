"""Rotation: turn images by a random angle."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar

from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.modality import IMAGE
from windtunnel.core.part import Augmentation, Fitting, Hooks, Minibatch


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Rotation(Augmentation):
    """Each image is turned about its centre, bilinearly, by an angle drawn evenly; black where nothing was.

    Args:
        degrees: the largest angle, to either side.
    Source:
        Common practice; as torchvision's `RandomRotation`. The default is ours.
    """

    use: ClassVar[str] = "rotation"
    modality: ClassVar[str] = IMAGE

    degrees: Annotated[float, Field(ge=0, le=180)] = 15.0

    def begin(self, fitting: Fitting) -> Hooks:
        """Turning."""
        return _Turned(self.degrees, fitting)


class _Turned(Hooks):
    def __init__(self, degrees: float, fitting: Fitting) -> None:
        self.degrees, self.fitting = degrees, fitting

    def augment(self, minibatch: Minibatch) -> Minibatch:
        import torch

        from windtunnel.recipes.augmentation.geometry import moved, rotation

        if not self.degrees:
            return minibatch
        images = minibatch.inputs
        angles = (2 * self.fitting.uniforms("rotation", minibatch.ids, 1)[:, 0] - 1) * self.degrees
        matrices = rotation(torch.from_numpy(angles).to(images), *images.shape[2:])
        return replace(minibatch, inputs=moved(images, matrices))
