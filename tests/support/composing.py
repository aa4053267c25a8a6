"""Composed recipes on small material: training them, and one plain step of gradient descent, of which the gradient can be read off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from pydantic.dataclasses import dataclass
from support.small import Stripes, Tiny
from torch import Tensor, nn

import windtunnel as wt
from windtunnel.core.configured import STRICT
from windtunnel.core.model import Model, ModelSource, Preprocessing
from windtunnel.core.network import Network, tensors_sha256
from windtunnel.core.recipe import Finetuned, Finetuning
from windtunnel.core.victim import Victim
from windtunnel.seeding import scoped

PLAIN_STEP = {"epochs": 1, "batch": 10_000, "optimizer": "sgd", "schedule": "constant", "warmup": 0, "weight_decay": 0, "lr": 1.0}
"""One step along minus the gradient; the first one of Nesterov's momentum 0.9 is 1.9 times as long."""

LENGTH = 1.9


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Plain(ModelSource):
    """Two residual blocks without any normalisation, with dropout of any rate, to 24 features."""

    use: ClassVar[str] = "plain"

    name: str = "plain"
    dropout: float = 0.0

    def stamp(self) -> str:
        return "1"

    def load(self) -> Model:
        with scoped("plain", self.name):
            backbone = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), Block(self.dropout), Block(self.dropout), nn.AdaptiveAvgPool2d(2), nn.Flatten())
        return Model(self.name, backbone.eval(), 24, None, Preprocessing((1, 8, 8), (0.5,), (0.25,)), tensors_sha256(backbone.state_dict()))


class Block(nn.Module):
    """A residual block that can be left out."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(6, 6, 3, padding=1), nn.Tanh(), nn.Dropout(dropout))
        self.drop_path = nn.Identity()

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + self.drop_path(self.body(inputs))


def material(source: ModelSource | None = None, seed: int = 0, **data: Any) -> Finetuning:
    """What a recipe works on, made anew."""
    splits = Stripes(**data).load()
    return Finetuning((source or Tiny()).load(), splits["train"], splits["val"], seed, torch.device("cpu"), lambda part: torch.empty(0))


def trained(recipe: str, source: ModelSource | None = None, seed: int = 0, **arguments: Any) -> Finetuned:
    """What a preset leaves, with some arguments replaced."""
    return wt.make_recipe(recipe, "image", **{"epochs": 2, "batch": 16, **arguments}).finetune(material(source, seed))


def slopes(recipe: str, source: ModelSource | None = None, **arguments: Any) -> dict[str, Tensor]:
    """The gradient by which a recipe makes its first step, on the whole training split, by the parameter's name."""
    done = trained(recipe, source, **{**PLAIN_STEP, **arguments})
    return {name: (value.detach() - done.last[name]) / LENGTH for name, value in start(source).named_parameters()}


def start(source: ModelSource | None = None) -> Network:
    """The network as recipes find it, in training mode."""
    return Network((source or Tiny()).load(), 3).train()


def gradient(loss: Callable[[Network, Tensor, Tensor], Tensor], source: ModelSource | None = None) -> dict[str, Tensor]:
    """The gradient of a loss written by hand at the start, given network, images and labels of the training split."""
    network, batch = start(source), material(source).train.batch()
    loss(network, batch.inputs, batch.labels).backward()
    return {name: parameter.grad for name, parameter in network.named_parameters()}


def agree(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    """Assert that two gradients agree to rounding, and are none of zero."""
    assert found.keys() == wanted.keys()
    assert sum(float(each.abs().sum()) for each in wanted.values()) > 0
    for name, each in wanted.items():
        torch.testing.assert_close(found[name], each, rtol=1e-3, atol=2e-6, msg=lambda text, name=name: f"{name}: {text}")


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    """Whether two states are the same to the bit."""
    return one.keys() == other.keys() and all(torch.equal(each, other[name]) for name, each in one.items())


def close(one: dict[str, Tensor], other: dict[str, Tensor], slack: float = 2e-4) -> bool:
    """Whether two states are the same to rounding."""
    return one.keys() == other.keys() and all(torch.allclose(each, other[name], rtol=0, atol=slack) for name, each in one.items())


def accuracy(done: Finetuned, threat: str = "clean", **arguments: Any) -> float:
    """On the test split, under a threat."""
    batch = Stripes().load()["test"].batch()
    return wt.evaluate(Victim(done.network), batch.inputs, batch.labels, threat=threat, **arguments).accuracy.value
