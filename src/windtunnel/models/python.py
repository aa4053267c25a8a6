"""One's own network: an `nn.Module`, or a function that makes one, in an importable module."""

from __future__ import annotations

import copy
import importlib
import sys
from pathlib import Path
from typing import Any, ClassVar

from pydantic import PositiveInt
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.model import Interpolation, Preprocessing
from windtunnel.errors import ModelError, suggest
from windtunnel.models.built import Built, BuiltSource, Channels, per_channel
from windtunnel.models.hub import require
from windtunnel.models.stamps import file_stamps, folder_stamps
from windtunnel.seeding import scoped


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PythonModel(BuiltSource):
    """A network of one's own, e.g. "mypackage.networks:small"; loading it runs that module, reading the suite does not.

    Args:
        name: "module:attribute"; the attribute is an `nn.Module`, or is called without arguments and returns one.
        size: height and width of the network's input.
        channels: of the network's input.
        mean: per channel, subtracted from inputs in [0, 1]; one value serves all channels.
        std: per channel, divided by.
        interpolation: how inputs of another size are resized.
        files: weights that the module reads; changes in them are then noticed without loading.
    """

    use: ClassVar[str] = "python"
    libraries: ClassVar[tuple[str, ...]] = ("torch",)

    name: str
    size: PositiveInt
    channels: Channels = 3
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    interpolation: Interpolation = "bilinear"
    files: tuple[str, ...] = ()

    def build(self) -> Built:
        """Import the module and make the network; random draws are keyed by the name.

        Raises:
            ModelError: no such module or attribute, or it is not a network.
        """
        require("torch", self.title)
        from torch import nn

        from windtunnel.models.head import Logits, probe

        found = self._attribute()
        if not isinstance(found, nn.Module) and callable(found):
            with scoped("init", self.title):
                found = found()
        if not isinstance(found, nn.Module):
            raise ModelError(
                f"{self.name} is a {type(found).__name__}; expected a torch.nn.Module, or a function without arguments that returns one."
            )
        # Whoever else holds the module keeps tensors of their own.
        network = copy.deepcopy(found).cpu().eval()
        side = int(self.size)
        mean, std = (per_channel(values, self.channels, name=self.title) for values in (self.mean, self.std))
        expected = Preprocessing((self.channels, side, side), mean, std, self.interpolation)
        return Built(Logits(network) if _has_logits(network, probe(expected.size)) else network, expected)

    def stamp(self) -> str:
        """Arguments, versions, and sizes and times of the module's package, found without importing it, and of `files`."""
        module = self.name.partition(":")[0]
        return self.stamped(sources=_sources(module), files=file_stamps(Path(file).expanduser() for file in self.files))

    def identity(self) -> dict[str, Any]:
        """Everything but the paths of `files`, whose tensors the weights' digest covers."""
        described = self.describe()
        return {**described, "arguments": {key: value for key, value in described["arguments"].items() if key != "files"}}

    def _attribute(self) -> Any:
        module, colon, attribute = self.name.partition(":")
        if not colon or not module or not attribute:
            raise ModelError(f'{self.name!r} names no Python object; write "module:attribute", e.g. "mypackage.networks:small".')
        try:
            found: Any = importlib.import_module(module)
        except ImportError as error:
            raise ModelError(
                f"The module {module!r} of {self.title} cannot be imported: {error}. Install it, or put its folder on PYTHONPATH."
            ) from error
        for part in attribute.split("."):
            if not hasattr(found, part):
                public = [name for name in vars(found) if not name.startswith("_")]
                raise ModelError(f"{module} has no {attribute!r}. {suggest(part, public)}")
            found = getattr(found, part)
        return found


def _has_logits(network: Any, inputs: Any) -> bool:
    """Whether the answer is an object with logits inside; a network that refuses the probe is reported later."""
    import torch

    try:
        with torch.no_grad():
            return hasattr(network(inputs), "logits")
    except (RuntimeError, ValueError, AssertionError, IndexError, TypeError):
        return False


def _sources(module: str) -> dict[str, str]:
    """Sizes and times of the Python files of a module's package, or of its folder if it is not in one."""
    top = module.partition(".")[0]
    for finder in sys.meta_path:
        spec = finder.find_spec(top, None)
        if spec is None or spec.origin is None:
            continue
        file = Path(spec.origin)
        if spec.submodule_search_locations is None:
            return folder_stamps(file.parent, "*.py")
        return file_stamps(file.parent.rglob("*.py"))
    return {}
