"""BuiltSource: what all families share; they build a whole classifier, and it is split where a new head goes."""

from __future__ import annotations

import difflib
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from windtunnel.core.canonical import dumps
from windtunnel.core.model import Model, ModelSource, Preprocessing
from windtunnel.errors import ModelError
from windtunnel.provenance import versions

if TYPE_CHECKING:
    from torch import nn

Channels = Literal[1, 3]
"""Channels that inputs can be matched to."""


@dataclass(frozen=True)
class Built:
    """A whole classifier as its library makes it.

    Args:
        network: preprocessed inputs to logits.
        preprocessing: what its weights expect.
        untrained: names of tensors that did not come with the weights; only the last layer's may be among them,
            which is then thrown away.
    """

    network: nn.Module
    preprocessing: Preprocessing
    untrained: frozenset[str] = frozenset()


class BuiltSource(ModelSource):
    """A model source that builds a whole classifier; subclasses write `build`."""

    @property
    def title(self) -> str:
        """The model's name as a suite writes it."""
        return f"{self.use}/{self.name}"

    @abstractmethod
    def build(self) -> Built:
        """The whole classifier with its weights, on the CPU.

        Raises:
            ModelError: unknown name, missing file or weights that do not fit.
        """

    def load(self) -> Model:
        """The network, split before its last linear layer; see `ModelSource.load`."""
        from windtunnel.core.network import tensors_sha256
        from windtunnel.models.head import split_head

        built = self.build()
        # Checkpoints in half precision are computed with in float32, as the CPU does everything else.
        network = built.network.float().eval()
        tensors = dict(network.state_dict())
        parts = split_head(network, built.preprocessing.size, name=self.title)
        headless = {key for key in built.untrained if key.rpartition(".")[0] == parts.layer}
        holes = sorted(built.untrained - headless)
        if holes:
            listed = f"{', '.join(holes[:5])}{' ...' if len(holes) > 5 else ''}"
            raise ModelError(f"The weights of {self.title} leave parts of the network untrained: {listed}. Use a complete checkpoint.")
        if headless:
            tensors = {key: tensor for key, tensor in tensors.items() if key.rpartition(".")[0] != parts.layer}
        return Model(
            name=self.title,
            backbone=parts.backbone,
            features=parts.features,
            head=None if headless else parts.head,
            preprocessing=built.preprocessing,
            weights_sha256=tensors_sha256(tensors),
        )

    def stamp(self) -> str:
        """Name, arguments and library versions; families that read files add these."""
        return self.stamped()

    def stamped(self, **more: str | Mapping[str, str] | None) -> str:
        """The stamp with further things that decide what is loaded."""
        return dumps({**self.describe(), "libraries": versions(self.libraries), **more})


def described_without_length(source: ModelSource) -> dict[str, Any]:
    """What a source says of itself, but for `length`: the one in force is part of the preprocessing, and images have none."""
    described = source.describe()
    return {**described, "arguments": {key: value for key, value in described["arguments"].items() if key != "length"}}


def per_channel(values: tuple[float, ...], channels: int, *, name: str) -> tuple[float, ...]:
    """Mean or standard deviation for a number of channels: one value serves all, three become their average for one.

    Raises:
        ModelError: another number of values.
    """
    if len(values) == channels:
        return values
    if len(values) == 1:
        return values * channels
    if channels == 1:
        return (sum(values) / len(values),)
    raise ModelError(f"{name} has {channels} channels, but {len(values)} values of mean or std; give one, or one per channel.")


def closest(name: str, choices: list[str]) -> str:
    """A did-you-mean sentence with up to three names that are nearest."""
    near = difflib.get_close_matches(name, choices, n=3, cutoff=0.6)
    return f"Did you mean {' or '.join(near)}?" if near else ""
