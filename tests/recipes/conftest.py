from __future__ import annotations

import pytest
import torch
from support.small import Stripes, Tiny

from windtunnel.core.dataset import Dataset
from windtunnel.core.network import Network
from windtunnel.core.recipe import Finetuning
from windtunnel.execution.workbench import features


@pytest.fixture
def work():
    """Material for a recipe, made anew for each call with a seed."""

    def make(seed: int = 0, **data) -> Finetuning:
        splits = Stripes(**data).load()
        model = Tiny().load()
        cpu = torch.device("cpu")

        def frozen(part: Dataset) -> torch.Tensor:
            return features(Network(model, 1), part, cpu)

        return Finetuning(model, splits["train"], splits["val"], seed, cpu, frozen)

    return make
