"""A small network that has blocks, with batch normalisation and dropout in them, and material to train it on."""

from __future__ import annotations

import torch
from support.small import Stripes
from torch import nn

from windtunnel.core.model import Model, Preprocessing
from windtunnel.core.network import Network, tensors_sha256
from windtunnel.core.recipe import Finetuning
from windtunnel.execution.workbench import features


class Residual(nn.Module):
    """A block with batch normalisation and dropout."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv, self.norm, self.drop = nn.Conv2d(channels, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.Dropout(0.2)

    def forward(self, inputs):
        return inputs + self.drop(torch.relu(self.norm(self.conv(inputs))))


class Stack(nn.Module):
    """A stem, blocks and a final normalisation to 24 features."""

    def __init__(self, count: int = 3) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 6, 3, padding=1)
        self.blocks = nn.Sequential(*(Residual(6) for _ in range(count)))
        self.norm = nn.BatchNorm2d(6)

    def forward(self, inputs):
        return nn.functional.adaptive_avg_pool2d(self.norm(self.blocks(self.stem(inputs))), 2).flatten(1)


def stacked(seed: int = 0) -> Finetuning:
    splits, cpu = Stripes().load(), torch.device("cpu")
    with torch.random.fork_rng():
        torch.manual_seed(1)
        backbone = Stack().eval()
    model = Model("stack", backbone, 24, None, Preprocessing((1, 8, 8), (0.5,), (0.25,)), tensors_sha256(backbone.state_dict()))
    return Finetuning(model, splits["train"], splits["val"], seed, cpu, lambda data: features(Network(model, 1), data, cpu))
