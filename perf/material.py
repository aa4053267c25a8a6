"""The networks, the data and the conditions that the measurements share. Imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from windtunnel import make_recipe
from windtunnel.builtins import DATASETS
from windtunnel.core.dataset import Dataset, Splits
from windtunnel.core.modality import IMAGE
from windtunnel.core.network import Network
from windtunnel.core.recipe import Finetuning
from windtunnel.execution.workbench import features
from windtunnel.model_names import source
from windtunnel.recipes.supervised import Supervised

NETWORKS = ("windtunnel/micro-resnet", "windtunnel/micro-vit")
CPU = torch.device("cpu")
SEED = 0


@dataclass(frozen=True)
class Tensors:
    """A whole split in memory, as a bare loop holds it.

    Shapes:
        inputs (n, channel, height, width), float32 in [0, 1]; labels (n,).
    """

    inputs: Tensor
    labels: Tensor

    @classmethod
    def of(cls, data: Dataset) -> Tensors:
        """All of `data`."""
        batch = data.batch()
        return cls(batch.inputs, batch.labels)


def settle() -> None:
    """Set torch up as a worker process of windtunnel does, for everything that is compared."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True, warn_only=True)


def digits() -> Splits:
    """The data set of the quickstart."""
    return DATASETS.load("digits")().load()


def supervised(name: str, modality: str = IMAGE, **arguments: Any) -> Supervised:
    """A recipe of the catalogue that trains by minibatches."""
    found = make_recipe(name, modality, **arguments)
    assert isinstance(found, Supervised), f"{name} is no composition"
    return found


def finetuning(network: str, data: Splits) -> Finetuning:
    """Fresh material for a recipe; features are computed when it asks for them and kept nowhere."""
    model = source(network).load()

    def frozen(part: Dataset) -> Tensor:
        return features(Network(model, 1), part, CPU)

    return Finetuning(model, data["train"], data["val"], SEED, CPU, frozen)
