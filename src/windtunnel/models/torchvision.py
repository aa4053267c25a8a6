"""Any classifier of torchvision, with its pre-trained weights."""

from __future__ import annotations

from typing import Any, ClassVar, cast, get_args

from pydantic import PositiveInt
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.model import Interpolation, Preprocessing
from windtunnel.errors import ModelError, suggest
from windtunnel.models.built import Built, BuiltSource, closest
from windtunnel.models.hub import fetching, require
from windtunnel.seeding import scoped


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TorchvisionModel(BuiltSource):
    """A network by its torchvision name, e.g. "torchvision/resnet18".

    Args:
        name: as `torchvision.models.list_models()` writes it.
        weights: member of the network's weights enumeration, e.g. "IMAGENET1K_V1"; "DEFAULT" is torchvision's best.
        pretrained: False draws the weights at random, the same ones each time.
        size: height and width of the network's input; what the weights were trained with if left out.
    Deviation: the whole image is resized to the input size; torchvision's evaluation cuts the border off.
    """

    use: ClassVar[str] = "torchvision"
    libraries: ClassVar[tuple[str, ...]] = ("torch", "torchvision")

    name: str
    weights: str = "DEFAULT"
    pretrained: bool = True
    size: PositiveInt | None = None

    def build(self) -> Built:
        """The network as torchvision makes it.

        Raises:
            ModelError: unknown name or weights, the download fails, or size does not fit.
        """
        require("torchvision", self.title)
        weights = self._weights()
        advice = (
            "Run once where the network can be reached, which fills torch's cache (TORCH_HOME); or name a checkpoint on disk, "
            "{use: ./weights.pth, architecture: " + self.title + "}; or set `pretrained: false` for random weights."
        )
        with fetching(self.title, getattr(weights, "url", "torchvision"), advice):
            network = self._create(weights)
        return Built(network, self._preprocessing(weights))

    def _weights(self) -> Any:
        from torchvision import models

        known = models.list_models(module=models)
        if self.name not in known:
            raise ModelError(f"torchvision has no classifier {self.name!r}. {closest(self.name, known)} It has {len(known)} of them.")
        members = models.get_model_weights(self.name).__members__
        if self.weights not in members:
            raise ModelError(f"torchvision has no weights {self.weights!r} for {self.name}. {suggest(self.weights, members)}")
        return members[self.weights]

    def _create(self, weights: Any) -> Any:
        from torchvision import models

        arguments: dict[str, Any] = {"weights": weights if self.pretrained else None, "progress": False}
        # Only vision transformers have a position table that depends on the input size; weights bring their own.
        if self.name.startswith("vit_") and (self.size is not None or not self.pretrained):
            arguments["image_size"] = self._preprocessing(weights).size[1]
        if not self.pretrained and self.name in ("googlenet", "inception_v3"):
            arguments["init_weights"] = True
        try:
            with scoped("init", self.title):
                return models.get_model(self.name, **arguments)
        except (RuntimeError, ValueError, TypeError) as error:
            raise ModelError(f"torchvision cannot make {self.title} with size {self.size}: {error}") from error

    def _preprocessing(self, weights: Any) -> Preprocessing:
        steps = weights.transforms()
        side = self.size if self.size is not None else int(steps.crop_size[0])
        kernel = str(steps.interpolation.value)
        interpolation = cast(Interpolation, kernel if kernel in get_args(Interpolation) else "bicubic")
        return Preprocessing((3, side, side), tuple(map(float, steps.mean)), tuple(map(float, steps.std)), interpolation)
