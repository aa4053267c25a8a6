"""One's own networks: an instance, a class or a function, in any importable module."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from windtunnel.errors import ModelError
from windtunnel.models.python import PythonModel

SOURCE = """
import torch
from torch import nn

class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(16, 8)
        self.fc = nn.Linear(8, 3)
    def forward(self, inputs):
        return self.fc(self.body(inputs.flatten(1)).relu())

class Answer:
    def __init__(self, logits):
        self.logits = logits

class Wrapped(Small):
    def forward(self, inputs):
        return Answer(super().forward(inputs))

torch.manual_seed(0)
instance = Small()
number = 3

def make():
    return Small().train()

class box:
    inner = instance
"""


@pytest.fixture(autouse=True)
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "own_networks.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path / "own_networks.py"
    sys.modules.pop("own_networks", None)


def own(attribute: str, **arguments: Any) -> PythonModel:
    return PythonModel(name=f"own_networks:{attribute}", size=4, channels=1, **arguments)


@pytest.mark.parametrize("attribute", ["instance", "box.inner", "Small", "make", "Wrapped"])
def test_an_instance_a_class_and_a_function_all_give_a_network(attribute: str) -> None:
    model = own(attribute).load()
    assert (model.features, model.name) == (8, f"python/own_networks:{attribute}")
    assert model.head is not None
    assert model.head(model.backbone(torch.rand(2, 1, 4, 4))).shape == (2, 3)
    assert not any(part.training for part in model.backbone.modules())


def test_backbone_and_head_together_are_the_instance_which_stays_whole() -> None:
    import own_networks

    inputs = torch.rand(5, 1, 4, 4)
    before = own_networks.instance(inputs)
    model = own("instance").load()
    assert model.head is not None
    assert torch.equal(model.head(model.backbone(inputs)), before)
    with torch.no_grad():
        model.backbone.body.weight.zero_()
    assert torch.equal(own_networks.instance(inputs), before)


def test_what_a_function_draws_is_the_same_each_time() -> None:
    torch.manual_seed(1)
    first = own("make").load().weights_sha256
    torch.manual_seed(2)
    assert first == own("make").load().weights_sha256


def test_preprocessing_is_what_the_suite_says() -> None:
    found = own("make", mean=(0.3,), std=(0.2,), interpolation="bicubic").load().preprocessing
    assert found.as_dict() == {"size": (1, 4, 4), "mean": (0.3,), "std": (0.2,), "interpolation": "bicubic"}


def test_reading_a_name_runs_nothing() -> None:
    own("instance").stamp()
    assert "own_networks" not in sys.modules


def test_the_stamp_notices_a_changed_module_and_changed_files(module: Path, tmp_path: Path) -> None:
    source = own("make", files=(str(tmp_path / "w.pt"),))
    first = source.stamp()
    (tmp_path / "w.pt").write_bytes(b"weights")
    second = source.stamp()
    module.write_text(SOURCE + "\n")
    assert len({first, second, source.stamp()}) == 3


def test_the_stamp_notices_a_change_anywhere_in_a_package(tmp_path: Path) -> None:
    package = tmp_path / "own_package" / "deep"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").touch()
    (package / "layers.py").write_text("one = 1")
    source = PythonModel(name="own_package.networks:make", size=4)
    before = source.stamp()
    (package / "layers.py").write_text("one = 1111")
    assert source.stamp() != before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("own_networks:instanc", r"own_networks has no 'instanc'. Did you mean 'instance'\?"),
        ("own_networks:number", "own_networks:number is a int; expected a torch.nn.Module"),
        ("own_network:make", "module 'own_network' of python/own_network:make cannot be imported: .*PYTHONPATH"),
        ("own_networks", 'names no Python object; write "module:attribute"'),
    ],
)
def test_a_name_that_is_no_network_is_explained(name: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        PythonModel(name=name, size=4).load()


def test_a_size_that_the_network_refuses_is_explained() -> None:
    with pytest.raises(ModelError, match=r"python/own_networks:make does not take inputs of shape \(2, 3, 4, 4\)"):
        PythonModel(name="own_networks:make", size=4).load()
