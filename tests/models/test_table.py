"""The contract of every family in the table of models."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from windtunnel.builtins import MODELS
from windtunnel.core import canonical
from windtunnel.core.model import ModelSource

FAMILIES = sorted(MODELS)
HEAVY = {"torch", "torchvision", "timm", "transformers", "safetensors", "PIL", "sklearn"}

# One set of valid arguments a family; third parties' families are checked by their own tests.
EXAMPLES = {
    "windtunnel": {"name": "micro-resnet"},
    "timm": {"name": "resnet18.a1_in1k"},
    "torchvision": {"name": "resnet18"},
    "transformers": {"name": "google/vit-base-patch16-224"},
    "local": {"name": "./none.pt", "architecture": "timm/resnet18"},
    "python": {"name": "own.networks:make", "size": 32},
}


def example(family: str) -> ModelSource:
    return MODELS.load(family)(**EXAMPLES[family])  # type: ignore[call-arg]


def test_every_built_in_family_has_an_example() -> None:
    foreign = {entry.name for entry in entry_points(group=MODELS.group)}
    assert set(FAMILIES) - foreign == set(EXAMPLES)


@pytest.mark.parametrize("family", sorted(EXAMPLES))
class TestEveryFamily:
    def test_its_class_carries_the_name_it_is_registered_under(self, family: str) -> None:
        assert MODELS.load(family).use == family

    def test_it_is_documented_with_every_argument(self, family: str) -> None:
        found = MODELS.load(family)
        text = found.__doc__ or ""
        for field in dataclasses.fields(found):  # type: ignore[arg-type]
            assert f"    {field.name}: " in text, field.name

    def test_it_is_frozen_and_records_its_arguments(self, family: str) -> None:
        source = example(family)
        with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign"):
            source.name = "other"
        assert EXAMPLES[family].items() <= source.arguments().items()
        assert type(source)(**source.arguments()) == source

    def test_its_stamp_and_identity_are_plain_and_repeatable(self, family: str) -> None:
        source = example(family)
        assert source.stamp() == example(family).stamp()
        assert canonical.sha256(source.identity()) == canonical.sha256(example(family).identity())

    def test_it_names_the_libraries_that_compute_it(self, family: str) -> None:
        assert "torch" in MODELS.load(family).libraries


def test_no_family_imports_a_heavy_library_before_it_loads_a_network() -> None:
    code = (
        "import sys\n"
        "from windtunnel import model_names\n"
        "from windtunnel.builtins import MODELS\n"
        f"for family, arguments in {EXAMPLES!r}.items():\n"
        "    source = MODELS.load(family)(**arguments)\n"
        "    source.stamp(), source.identity(), source.arguments()\n"
        "model_names.source('windtunnel/micro-vit')\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
