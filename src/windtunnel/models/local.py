"""A checkpoint on disk: a `save_pretrained` folder, a timm folder, safetensors, or a `.pt` that holds nothing but tensors."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import PositiveInt
from pydantic.dataclasses import dataclass

from windtunnel import model_names
from windtunnel.core import canonical
from windtunnel.core.configured import STRICT
from windtunnel.core.model import Interpolation, Model
from windtunnel.errors import ModelError
from windtunnel.models.built import Built, BuiltSource, described_without_length, per_channel
from windtunnel.models.checkpoint import SUFFIXES, fill, read_tensors
from windtunnel.models.hub import require
from windtunnel.models.stamps import file_stamps, folder_stamps
from windtunnel.models.transformers import TransformersModel

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LocalModel(BuiltSource):
    """A checkpoint by its path, e.g. "./runs/my-vit" or "./weights.safetensors".

    Args:
        name: path of a folder with a config.json, or of a `.safetensors`, `.pt` or `.pth` file.
        architecture: model name that the tensors of a file belong to, e.g. "timm/resnet18"; folders name their own.
        entry: key of the state dict in a `.pt` that holds more, e.g. "state_dict".
        prefix: start of all tensor names that is taken off, e.g. "module.".
        size: height and width of the network's input; the architecture's or folder's if left out.
        mean: per channel, for inputs in [0, 1]; the architecture's or folder's if left out.
        std: per channel; the architecture's or folder's if left out.
        interpolation: how inputs are resized; the architecture's or folder's if left out.
        length: of a text model in a folder: tokens after which a text is cut off; what the network takes, at most 512, if left out.
    """

    use: ClassVar[str] = "local"
    libraries: ClassVar[tuple[str, ...]] = ("torch", "torchvision", "timm", "transformers", "safetensors")

    name: str
    architecture: str | None = None
    entry: str | None = None
    prefix: str = ""
    size: PositiveInt | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    interpolation: Interpolation | None = None
    length: PositiveInt | None = None

    @property
    def title(self) -> str:
        """The path as a suite writes it."""
        return self.name if self.name.startswith((".", "/", "~")) else f"local/{self.name}"

    @property
    def path(self) -> Path:
        """The path with the home folder filled in."""
        return Path(self.name).expanduser()

    @property
    def modality(self) -> str | None:
        """Told by the configuration that comes with the weights."""
        return None

    def load(self) -> Model:
        """The image or text model; see `ModelSource.load`.

        Raises:
            ModelError: as for `build`; or arguments of the other modality.
        """
        described = self._described()
        if described is not None and described.reads_texts():
            return dataclasses.replace(dataclasses.replace(described, interpolation=self.interpolation, length=self.length).load(), name=self.title)
        if self.length is not None:
            raise ModelError(f"{self.title} is an image model, which has no `length`; leave it out.")
        return super().load()

    def _described(self) -> TransformersModel | None:
        """The folder as transformers' own, if it is one."""
        given = [key for key in ("architecture", "entry", "prefix") if getattr(self, key)]
        if given and self.path.is_dir():
            raise ModelError(f"{self.path} is a folder, which describes itself; leave out {', '.join(given)}, or name the file in it.")
        if not self.path.is_dir() or "model_type" not in read_config(self.path):
            return None
        # All three are given on: without an image processor they are what there is.
        return TransformersModel(name=str(self.path), size=self.size, mean=self.mean, std=self.std)

    def build(self) -> Built:
        """The image network that the folder describes, or the named architecture with the file's tensors.

        Raises:
            ModelError: nothing there, an unreadable or unsafe file, or tensors that do not fit.
        """
        require("torch", self.title)
        if self.path.is_dir():
            return self._with_preprocessing(self._from_folder())
        if self.path.suffix not in SUFFIXES or not self.path.is_file():
            raise ModelError(
                f"There is no checkpoint {self.path}. Expected a folder with a config.json, or a file that ends in "
                f"{', '.join(SUFFIXES)}; a relative path starts at the folder the command runs in."
            )
        if self.architecture is None:
            raise ModelError(f"{self.path} holds tensors only; say which network they belong to, e.g. `architecture: timm/resnet18`.")
        tensors = read_tensors(self.path, entry=self.entry, prefix=self.prefix)
        return self._with_preprocessing(filled(self._architecture(self.architecture), tensors, self.path, self.title))

    def stamp(self) -> str:
        """Arguments, library versions, sizes and times of the files."""
        return self.stamped(files=folder_stamps(self.path) if self.path.is_dir() else file_stamps([self.path]))

    def identity(self) -> dict[str, Any]:
        """Everything but the path: the arguments, and for a folder what its config.json says."""
        described = described_without_length(self)
        arguments = {key: value for key, value in described["arguments"].items() if key != "name"}
        config = canonical.sha256(read_config(self.path)) if self.path.is_dir() else None
        return {**described, "arguments": arguments, "config": config}

    def _from_folder(self) -> Built:
        config = read_config(self.path)
        if "architecture" in config:
            from windtunnel.models.timm_folder import build

            return build(self.path, config, self.title, size=self.size)
        described = self._described()
        if described is not None:
            return described.build()
        raise ModelError(f"{self.path}/config.json has neither `model_type` (transformers) nor `architecture` (timm), so nothing says what it is.")

    def _architecture(self, architecture: str) -> Built:
        arguments: dict[str, Any] = {}
        family, _ = model_names.resolve(architecture)
        if family in ("local", "transformers"):
            raise ModelError(f"`architecture: {architecture}` of {self.path} must be a timm, torchvision, windtunnel or python name.")
        if family != "python":
            arguments["pretrained"] = False
        if self.size is not None:
            arguments["size"] = self.size
        source = model_names.source(architecture, arguments)
        if not isinstance(source, BuiltSource):
            raise ModelError(f"`architecture: {architecture}` of {self.path} cannot take weights from a file; name a timm or torchvision network.")
        return source.build()

    def _with_preprocessing(self, built: Built) -> Built:
        expected = built.preprocessing
        channels = expected.size[0]
        changes: dict[str, Any] = {
            key: per_channel(values, channels, name=self.title) for key, values in (("mean", self.mean), ("std", self.std)) if values is not None
        }
        if self.interpolation is not None:
            changes["interpolation"] = self.interpolation
        if self.size is not None:
            changes["size"] = (channels, self.size, self.size)
        return dataclasses.replace(built, preprocessing=dataclasses.replace(expected, **changes))


def read_config(folder: Path) -> dict[str, Any]:
    """The config.json of a folder.

    Raises:
        ModelError: there is none, or it is not a JSON object.
    """
    path = folder / "config.json"
    if not path.is_file():
        files = [f"./{child.name}" for child in sorted(folder.iterdir()) if child.suffix in SUFFIXES]
        hint = f" To load tensors alone, name the file ({', '.join(files[:3])}) with its `architecture`." if files else ""
        raise ModelError(f"The folder {folder} has no config.json, so nothing says which network it holds.{hint}")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(config, dict):
        raise ModelError(f"{path} holds a {type(config).__name__}; expected an object.")
    return config


def filled(built: Built, tensors: dict[str, Tensor], path: Path, title: str) -> Built:
    """The architecture with the file's tensors; the last layer takes the file's number of classes, or is left out with it."""
    from windtunnel.models.head import output_layer, probe

    network: nn.Module = built.network.eval()
    _, layer = output_layer(network, probe(built.preprocessing.size), name=title)
    keys = [f"{layer}.weight", f"{layer}.bias"] if layer else []
    if layer:
        _resize_head(network, layer, tensors)
    fill(network, tensors, path, optional=keys)
    return dataclasses.replace(built, untrained=frozenset(network.state_dict()) & (set(keys) - set(tensors)))


def _resize_head(network: nn.Module, layer: str, tensors: dict[str, Tensor]) -> None:
    """Give the last layer as many classes as the file has."""
    from torch import nn

    from windtunnel.models.head import blank_linear, replace_layer

    found, weight = network.get_submodule(layer), tensors.get(f"{layer}.weight")
    if not isinstance(found, nn.Linear) or weight is None or weight.ndim != 2 or weight.shape[1] != found.in_features:
        return
    if len(weight) != found.out_features:
        # Left blank: `fill` insists on a value for each of its tensors.
        replace_layer(network, layer, blank_linear(found.in_features, len(weight), bias=found.bias is not None))
