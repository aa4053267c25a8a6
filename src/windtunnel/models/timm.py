"""Any classifier of timm, with its pre-trained weights from the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast, get_args

from pydantic import PositiveInt
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.model import Interpolation, Preprocessing
from windtunnel.errors import ModelError
from windtunnel.models.built import Built, BuiltSource, Channels, closest, per_channel
from windtunnel.models.hub import cached_revision, fetching, require
from windtunnel.seeding import scoped


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TimmModel(BuiltSource):
    """A network by its timm name, e.g. "timm/resnet18.a1_in1k".

    Args:
        name: architecture, with the tag of its weights after a dot; without a tag timm's default weights are meant.
        pretrained: False draws the weights at random, the same ones each time.
        size: height and width of the network's input; what the weights were trained with if left out.
        channels: 1 sums the first layer's filters over colour, as timm does; what the weights have if left out.
    Deviation: the whole image is resized to the input size; timm's evaluation cuts the border off (crop_pct).
    """

    use: ClassVar[str] = "timm"
    libraries: ClassVar[tuple[str, ...]] = ("torch", "timm")

    name: str
    pretrained: bool = True
    size: PositiveInt | None = None
    channels: Channels | None = None

    def build(self) -> Built:
        """The network as timm makes it.

        Raises:
            ModelError: timm has no such name or no weights for it, the hub cannot be reached, or size does not fit.
        """
        require("timm", self.title)
        entry = _configuration(self.name, self.title)
        if self.pretrained and not getattr(entry, "has_weights", False):
            raise ModelError(
                f"timm has no pre-trained weights for {self.title}. Set `pretrained: false`, or choose a name of timm.list_pretrained()."
            )
        origin = f"the Hugging Face hub ({getattr(entry, 'hf_hub_id', None) or self.name})"
        advice = (
            "Run once where the hub can be reached, which fills its cache (HF_HOME); or name a checkpoint on disk, "
            "{use: ./weights.safetensors, architecture: " + self.title + "}; or set `pretrained: false` for random weights."
        )
        with fetching(self.title, origin, advice):
            network = create(self.title, self.name, self._arguments(entry), pretrained=self.pretrained)
        return Built(network, preprocessing(network, self.title, self.size, self.channels))

    def stamp(self) -> str:
        """Arguments, library versions and the revision of the weights in the hub's cache."""
        tagged = self.pretrained and "." in self.name
        return self.stamped(revision=cached_revision(f"timm/{self.name}") if tagged else None)

    def _arguments(self, entry: Any) -> dict[str, Any]:
        arguments: dict[str, Any] = {} if self.channels is None else {"in_chans": self.channels}
        # Only networks with a position table need to know their input size when they are made.
        if self.size is not None and getattr(entry, "fixed_input_size", False):
            arguments["img_size"] = self.size
        return arguments


def create(title: str, name: str, arguments: Mapping[str, Any], *, pretrained: bool) -> Any:
    """A timm network whose random draws are keyed by its title.

    Raises:
        ModelError: timm refuses the arguments.
        OSError: weights cannot be fetched.
    """
    import timm

    try:
        with scoped("init", title):
            return timm.create_model(name, pretrained=pretrained, **arguments)
    except OSError:
        raise
    except (RuntimeError, TypeError, ValueError, AssertionError, KeyError) as error:
        given = ", ".join(f"{key}={value!r}" for key, value in arguments.items()) or "no arguments"
        raise ModelError(f"timm cannot make {title} with {given}: {error}") from error


def preprocessing(network: Any, title: str, size: int | None, channels: int | None) -> Preprocessing:
    """What timm records as belonging to a network's weights, for another size or number of channels if asked for."""
    from timm.data import resolve_model_data_config

    found = resolve_model_data_config(network)
    depth, height, width = found["input_size"]
    # timm keeps the weights' own size in the record when the network was made for another.
    height, width = (size, size) if size is not None else (height, width)
    depth = channels if channels is not None else depth
    mean, std = (tuple(float(value) for value in found[key]) for key in ("mean", "std"))
    kernel = str(found["interpolation"])
    # Lanczos and timm's "random" have no differentiable twin; the nearest is bicubic.
    interpolation = cast(Interpolation, kernel if kernel in get_args(Interpolation) else "bicubic")
    return Preprocessing(
        (int(depth), int(height), int(width)), per_channel(mean, depth, name=title), per_channel(std, depth, name=title), interpolation
    )


def _configuration(name: str, title: str) -> Any:
    import timm

    architecture, _, tag = name.partition(".")
    if not timm.is_model(architecture):
        known = timm.list_models()
        raise ModelError(f"timm has no network {name!r}. {closest(architecture, known)} `timm.list_models()` lists all {len(known)}.")
    try:
        return timm.get_pretrained_cfg(name)
    except RuntimeError as error:
        tags = sorted(full.partition(".")[2] for full in timm.list_models(f"{architecture}.*", pretrained=True) if "." in full)
        raise ModelError(f"timm has no weights {tag!r} for {architecture}. Choose from: {', '.join(tags) or 'none'}.") from error
