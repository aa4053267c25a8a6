"""Model: a pre-trained network by name, with the preprocessing that belongs to its weights."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from windtunnel.core.configured import Configured
from windtunnel.core.modality import IMAGE, TEXT

if TYPE_CHECKING:
    from torch import nn

Interpolation = Literal["nearest", "bilinear", "bicubic"]
Pooling = Literal["classifier", "first", "last", "mean"]


@dataclass(frozen=True)
class Preprocessing:
    """What the weights expect, applied inside the victim to inputs in [0, 1].

    Args:
        size: (channel, height, width) of the network's input.
        mean: per channel, subtracted after scaling to [0, 1].
        std: per channel, divided by.
        interpolation: how inputs of another size are resized (antialiased, differentiable).
    """

    modality: ClassVar[str] = IMAGE

    size: tuple[int, int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: Interpolation = "bilinear"

    def as_dict(self) -> dict[str, Any]:
        """Plain data for keys and records."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class Tokenization:
    """How a text network's weights expect texts, done inside the victim.

    Args:
        tokenizer_sha256: digest over the tokenizer's vocabulary and rules.
        tokenizers: version of the library that carries them out.
        length: tokens after which a sample is cut off, those that mark its ends included.
        pooling: what the features are: all of the network's own classifier but its last layer ("classifier"), or hidden states as that
            classifier reads them: of the "first" token, of the "last", or their "mean".
    """

    modality: ClassVar[str] = TEXT

    tokenizer_sha256: str
    tokenizers: str
    length: int
    pooling: Pooling

    def as_dict(self) -> dict[str, Any]:
        """Plain data for keys and records."""
        return {"modality": self.modality, **dataclasses.asdict(self)}


@dataclass(frozen=True)
class Model:
    """A loaded pre-trained network, split where a new head goes.

    Args:
        name: as written in the suite.
        backbone: preprocessed images, or texts, to features, (batch, features).
        features: number of features.
        head: the linear layer that came with the weights, if there is one.
        preprocessing: what the weights expect.
        weights_sha256: digest over all tensors of backbone and head.
    """

    name: str
    backbone: nn.Module
    features: int
    head: nn.Linear | None
    preprocessing: Preprocessing | Tokenization
    weights_sha256: str

    @property
    def parameters(self) -> int:
        """Number of parameters of the backbone."""
        return sum(parameter.numel() for parameter in self.backbone.parameters())


class ModelSource(Configured, ABC):
    """A way to load pre-trained networks; `name` is the part of the suite's model name after the family.

    Subclasses are frozen dataclasses with at least the field `name: str`. A family with a fixed list of networks
    gives it as `names`; an open family leaves it empty.
    """

    names: ClassVar[tuple[str, ...]] = ()

    name: str

    def identity(self) -> dict[str, Any]:
        """What of this source enters a cell's key beside the weights' digest: enough to tell architectures apart, no file names."""
        return self.describe()

    @property
    def modality(self) -> str | None:
        """What its networks take, "image" or "text"; None if only loading tells."""
        return IMAGE

    @property
    def computed_with(self) -> tuple[str, ...]:
        """Packages whose versions enter the key of what the network computes."""
        return self.libraries

    @abstractmethod
    def load(self) -> Model:
        """The network with fresh tensors of its own, on the CPU, in evaluation mode.

        Raises:
            ModelError: unknown name, missing file or weights that do not fit.
        """

    @abstractmethod
    def stamp(self) -> str:
        """A cheap text that changes whenever `load` could return something else; needs no torch."""
