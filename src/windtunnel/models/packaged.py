"""Networks whose weights are installed: the project's own small ones, and EfficientNet-Lite0 and MiniLM from their packages."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import PositiveInt, field_validator, model_validator
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.modality import IMAGE, TEXT
from windtunnel.core.model import Model, Preprocessing
from windtunnel.errors import suggest
from windtunnel.models import efficientnet, language, zoo
from windtunnel.models.built import Built, BuiltSource, described_without_length
from windtunnel.models.hub import require
from windtunnel.models.stamps import file_stamps
from windtunnel.seeding import scoped

EFFICIENTNET = "efficientnet-lite0"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ZooModel(BuiltSource):
    """A network that needs no download: "windtunnel/micro-resnet", "windtunnel/micro-vit", "windtunnel/efficientnet-lite0"; for texts
    "windtunnel/minilm-l6".

    Args:
        name: one of `names`.
        pretrained: False draws the weights at random, the same ones each time: the baseline of what pre-training gives.
        size: height and width of the network's input; what the weights were trained with if left out.
        length: of a text model: tokens after which a text is cut off; what the network takes if left out.
    """

    use: ClassVar[str] = "windtunnel"
    libraries: ClassVar[tuple[str, ...]] = ("torch", "timm")
    names: ClassVar[tuple[str, ...]] = (EFFICIENTNET, *sorted(zoo.ZOO), *sorted(language.FOLDERS))

    name: str
    pretrained: bool = True
    size: PositiveInt | None = None
    length: PositiveInt | None = None

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in cls.names:
            raise ValueError(f"the zoo has no network {name!r}. {suggest(name, cls.names)}")
        return name

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.size is not None and self.reads_texts:
            raise ValueError(f"{self.title} takes texts, which have no `size`; leave it out")
        if self.length is not None and not self.reads_texts:
            raise ValueError(f"{self.title} takes images, which have no `length`; leave it out")
        return self

    @property
    def modality(self) -> str:
        """Told by the name."""
        return TEXT if self.reads_texts else IMAGE

    @property
    def reads_texts(self) -> bool:
        """Whether it takes texts."""
        return self.name in language.FOLDERS

    @property
    def computed_with(self) -> tuple[str, ...]:
        """The packages of its modality."""
        return language.LIBRARIES if self.reads_texts else self.libraries

    def identity(self) -> dict[str, Any]:
        """Name and arguments."""
        return described_without_length(self)

    def load(self) -> Model:
        """The network; see `ModelSource.load`.

        Raises:
            MissingPackageError: a library or the package of the weights is not installed.
            ModelError: the weights are damaged.
        """
        if not self.reads_texts:
            return super().load()
        return language.load(self.name, self.title, pretrained=self.pretrained, length=self.length)

    def build(self) -> Built:
        """The image network with its installed weights.

        Raises:
            MissingPackageError: timm or the package of the weights is not installed.
            ModelError: the weights are damaged.
        """
        require("timm", self.title)
        with scoped("init", self.title):
            if self.name == EFFICIENTNET:
                network = efficientnet.build(pretrained=self.pretrained)
            else:
                network = zoo.build(self.name, pretrained=self.pretrained)
        return Built(network, self._preprocessing())

    def stamp(self) -> str:
        """Arguments, library versions, size and time of the weights' file."""
        return self.stamped(files=file_stamps(self._files()) if self.pretrained else {})

    def _files(self) -> list[Path]:
        if self.reads_texts:
            return language.files(self.name)
        if self.name != EFFICIENTNET:
            return [zoo.weights_path(self.name)]
        return [efficientnet.weights_path()] if efficientnet.installed() else []

    def _preprocessing(self) -> Preprocessing:
        if self.name == EFFICIENTNET:
            expected = efficientnet.PREPROCESSING
        else:
            own = zoo.preprocessing(self.name)
            expected = Preprocessing(own.size, own.mean, own.std)
        if self.size is None:
            return expected
        return dataclasses.replace(expected, size=(expected.size[0], self.size, self.size))
