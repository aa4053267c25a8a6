"""A third party's model family is found through its installed entry point, and used like a built-in one."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from windtunnel import model_names
from windtunnel.builtins import MODELS
from windtunnel.core.network import Network
from windtunnel.errors import UnknownNameError

PACKAGE = Path(__file__).parents[1] / "plugin_package"


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package as an installation leaves it: its code and its metadata on the path."""
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    points = "\n".join(f"{name} = {target}" for name, target in project["entry-points"][MODELS.group].items())
    metadata = tmp_path / f"windtunnel_plugin_example-{project['version']}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    (metadata / "entry_points.txt").write_text(f"[{MODELS.group}]\n{points}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.syspath_prepend(PACKAGE / "src")
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "windtunnel_plugin"]:
        del sys.modules[name]


@pytest.mark.usefixtures("plugin")
def test_an_installed_family_names_loads_and_classifies() -> None:
    assert "pooling" in set(MODELS)
    assert model_names.resolve("pooling/2x2") == ("pooling", "2x2")
    model = model_names.source("pooling/2x2", {"size": 4}).load()
    image = torch.arange(16.0).view(1, 1, 4, 4) / 16
    assert Network(model, 3).features(image).tolist() == [[2.5 / 16, 4.5 / 16, 10.5 / 16, 12.5 / 16]]


def test_without_the_package_its_names_are_unknown() -> None:
    if "pooling" in set(MODELS):
        pytest.skip("the example package is installed in this environment")
    with pytest.raises(UnknownNameError, match="Unknown model 'pooling/2x2'"):
        model_names.resolve("pooling/2x2")
