"""Any image or sequence classifier of transformers, from the Hugging Face hub or a folder."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import PositiveInt
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.model import Interpolation, Model, Preprocessing
from windtunnel.errors import ModelError
from windtunnel.models.built import Built, BuiltSource, described_without_length, per_channel
from windtunnel.models.hub import cached_revision, fetching, first_line, quiet, require
from windtunnel.models.stamps import folder_stamps
from windtunnel.seeding import scoped

if TYPE_CHECKING:
    from windtunnel.models.processor import Processed


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TransformersModel(BuiltSource):
    """A classifier by its hub name, e.g. "transformers/google/vit-base-patch16-224", or by its folder.

    Its configuration says whether it takes images or texts. A text model comes with its tokenizer (a fast one) and is cut before its
    last layer: see `models.text`. Code that comes with weights is never run.

    Args:
        name: "owner/repository", or the path of a `save_pretrained` folder.
        revision: commit, branch or tag on the hub; pin a commit to keep a suite reproducible.
        size: height and width of the network's input; the image processor's if left out.
        mean: per channel, for inputs in [0, 1]; the image processor's if left out.
        std: per channel; the image processor's if left out. Where both are given the processor is not asked for anything.
        interpolation: how inputs are resized; the image processor's if left out.
        length: of a text model: tokens after which a text is cut off; what the network takes, at most 512, if left out.
    Deviation: the whole image is resized to the input size; some processors cut the border off.
    """

    use: ClassVar[str] = "transformers"
    libraries: ClassVar[tuple[str, ...]] = ("torch", "transformers")

    name: str
    revision: str | None = None
    size: PositiveInt | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    interpolation: Interpolation | None = None
    length: PositiveInt | None = None

    @property
    def modality(self) -> str | None:
        """Told by the configuration that comes with the weights."""
        return None

    def load(self) -> Model:
        """The image or text model; see `ModelSource.load`.

        Raises:
            ModelError: as for `build`; or arguments of the other modality.
        """
        require("transformers", self.title)
        if not self.reads_texts():
            self._refuse("an image", "length")
            return super().load()
        from transformers import AutoModelForSequenceClassification

        from windtunnel.models.text import Loaded, text_model

        self._refuse("a text", "size", "mean", "std", "interpolation")
        network, untrained = self._network(AutoModelForSequenceClassification, "a sequence classifier")
        return text_model(Loaded(network, self._place(), self.revision, untrained), self.title, self.length)

    def build(self) -> Built:
        """The classifier, wrapped so that it answers with plain logits.

        Raises:
            ModelError: no such repository or folder, no network, an architecture that is no image classifier,
                weights with holes, or no image processor where `mean` and `std` are not given.
        """
        require("transformers", self.title)
        from torch import nn
        from transformers import AutoModelForImageClassification

        from windtunnel.models.head import Logits

        network, missing = self._network(AutoModelForImageClassification, "an image classifier")
        expected = self._preprocessing(network.config)
        wrapped: nn.Module = Logits(network, reverse=expected.reversed_channels)
        # The names are those of the network inside `Logits`.
        return Built(wrapped, expected.preprocessing, frozenset(f"network.{key}" for key in missing))

    def stamp(self) -> str:
        """Arguments, library versions, and the folder's files or the revision in the hub's cache."""
        folder = Path(self.name).expanduser()
        if folder.is_dir():
            return self.stamped(files=folder_stamps(folder))
        return self.stamped(revision=cached_revision(self.name, self.revision))

    def identity(self) -> dict[str, Any]:
        """Arguments, without the name where it is a path; the configuration of a folder instead."""
        folder = Path(self.name).expanduser()
        described = described_without_length(self)
        if not (folder / "config.json").is_file():
            return described
        arguments = {key: value for key, value in described["arguments"].items() if key != "name"}
        return {**described, "arguments": arguments, "config": hashlib.sha256((folder / "config.json").read_bytes()).hexdigest()}

    def reads_texts(self) -> bool:
        """Whether the configuration is that of a sequence classifier, and not of an image classifier.

        Raises:
            ModelError: it cannot be had or read.
        """
        from transformers import MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING, MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING, AutoConfig

        try:
            with self._fetching(), quiet():
                config = AutoConfig.from_pretrained(self._place(), revision=self.revision, trust_remote_code=False)
        except (ValueError, RuntimeError, KeyError) as error:
            raise ModelError(f"transformers cannot load the configuration of {self.title}: {first_line(error)}") from error
        return type(config) in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING and type(config) not in MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING

    def _refuse(self, kind: str, *arguments: str) -> None:
        given = [f"`{name}`" for name in arguments if getattr(self, name) is not None]
        if given:
            raise ModelError(f"{self.title} is {kind} model, which has no {' and no '.join(given)}; leave it out.")

    def _network(self, auto: Any, kind: str) -> tuple[Any, frozenset[str]]:
        """The classifier, and the names of tensors that did not come with the weights."""
        try:
            with self._fetching(), quiet(), scoped("init", self.title):
                network, report = auto.from_pretrained(self._place(), revision=self.revision, trust_remote_code=False, output_loading_info=True)
        except (ValueError, RuntimeError, KeyError) as error:
            raise ModelError(f"transformers cannot load {self.title} as {kind}: {first_line(error)}") from error
        if report["mismatched_keys"]:
            listed = ", ".join(str(key) for key in list(report["mismatched_keys"])[:5])
            raise ModelError(f"The weights of {self.title} have other shapes than its configuration says: {listed}. Use a complete checkpoint.")
        return network.eval(), frozenset(report["missing_keys"])

    def _preprocessing(self, config: Any) -> Processed:
        from windtunnel.models.processor import Processed, measure

        if self.mean is not None and self.std is not None:
            side = self.size if self.size is not None else _image_size(config)
            if side is not None:
                mean, std = (per_channel(values, 3, name=self.title) for values in (self.mean, self.std))
                return Processed(Preprocessing((3, side, side), mean, std, self.interpolation or "bilinear"), reversed_channels=False)
        processed = measure(self._processor(), self.title)
        found = processed.preprocessing
        size = found.size if self.size is None else (3, self.size, self.size)
        mean = found.mean if self.mean is None else per_channel(self.mean, 3, name=self.title)
        std = found.std if self.std is None else per_channel(self.std, 3, name=self.title)
        kernel = self.interpolation or found.interpolation
        return dataclasses.replace(processed, preprocessing=Preprocessing(size, mean, std, kernel))

    def _processor(self) -> Any:
        from transformers import AutoImageProcessor

        try:
            with quiet():
                return AutoImageProcessor.from_pretrained(self._place(), revision=self.revision, trust_remote_code=False)
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(
                f"{self.title} has no usable image processor (preprocessor_config.json): {first_line(error)} The normalisation belongs to the "
                "weights and is not guessed: give `mean`, `std` and `size`, or save the image processor into the same folder."
            ) from error

    def _place(self) -> str:
        folder = Path(self.name).expanduser()
        return str(folder) if folder.is_dir() else self.name

    def _fetching(self) -> Any:
        advice = (
            "Check the name; run once where the hub can be reached, which fills its cache (HF_HOME); "
            "or name a folder on disk that `save_pretrained` made, e.g. ./my-model."
        )
        return fetching(self.title, f"the Hugging Face hub ({self.name})", advice)


def _image_size(config: Any) -> int | None:
    found = getattr(config, "image_size", None)
    return found if isinstance(found, int) else None
