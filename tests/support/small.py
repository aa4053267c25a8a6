"""A tiny data set and network, for tests of everything that trains and evaluates."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic.dataclasses import dataclass

from windtunnel.core import canonical
from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Audit, Dataset, DataSource, Splits
from windtunnel.core.model import Model, ModelSource, Preprocessing
from windtunnel.seeding import generator, scoped


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Stripes(DataSource):
    """Three classes of 8x8 images: bright upper rows, bright lower rows, bright left columns, under noise."""

    use: ClassVar[str] = "stripes"

    count: int = 60
    noise: float = 0.15
    seed: int = 0

    def stamp(self) -> str:
        return "1"

    def load(self) -> Splits:
        splits = {name: self.split(name, self.count if name == "train" else self.count // 2) for name in ("train", "val", "test")}
        return Splits("stripes", splits, canonical.sha256(self.describe()), Audit(found=2 * self.count))

    def split(self, name: str, count: int) -> Dataset:
        labels = np.arange(count) % 3
        images = []
        for row, label in enumerate(labels):
            clean = np.full((8, 8, 1), 0.3)
            clean[(slice(0, 4), slice(4, 8), slice(None))[label], slice(0, 4) if label == 2 else slice(None)] = 0.7
            images.append(clean + self.noise * generator(self.seed, name, row).standard_normal((8, 8, 1)))
        pixels = (np.clip(images, 0, 1) * 255).round().astype(np.uint8)
        return Dataset(f"stripes[{name}]", ("up", "down", "left"), tuple(f"{name}/{row}" for row in range(count)), labels.astype(np.int64), pixels)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Tiny(ModelSource):
    """A convolution with batch norm and pooling to 24 features."""

    use: ClassVar[str] = "tiny"
    libraries: ClassVar[tuple[str, ...]] = ("torch",)

    name: str = "tiny"
    broken: bool = False

    def stamp(self) -> str:
        return "1"

    def load(self) -> Model:
        from torch import nn

        from windtunnel.core.network import tensors_sha256

        if self.broken:
            raise RuntimeError("these weights are broken")
        with scoped("tiny", self.name):
            backbone = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten()).eval()
        return Model(self.name, backbone, 24, None, Preprocessing((1, 8, 8), (0.5,), (0.25,)), tensors_sha256(backbone.state_dict()))
