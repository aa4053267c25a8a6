"""Pooling: the mean of each cell of a grid over the image; a backbone without weights."""

from __future__ import annotations

from typing import ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.model import Model, ModelSource, Preprocessing
from windtunnel.errors import ModelError


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PoolingModel(ModelSource):
    """Mean grey values on a grid.

    Args:
        name: the grid, e.g. "4x4".
        size: height and width that images are brought to.
    """

    use: ClassVar[str] = "pooling"

    name: str
    size: int = 16

    def load(self) -> Model:
        """The network.

        Raises:
            ModelError: the name is no grid.
        """
        from torch import nn

        height, cross, width = self.name.partition("x")
        if not (cross and height.isdecimal() and width.isdecimal()):
            raise ModelError(f'{self.name!r} is no grid; write it like "4x4".')
        backbone = nn.Sequential(nn.AdaptiveAvgPool2d((int(height), int(width))), nn.Flatten())
        expected = Preprocessing((1, self.size, self.size), (0.0,), (1.0,))
        return Model(f"pooling/{self.name}", backbone, int(height) * int(width), None, expected, weights_sha256="0" * 64)

    def stamp(self) -> str:
        """The name says it all."""
        return f"{self.name} {self.size}"
