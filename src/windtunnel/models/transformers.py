"""Any image classifier of transformers, from the Hugging Face hub or a folder."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import PositiveInt
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.model import Interpolation, Preprocessing
from windtunnel.errors import ModelError
from windtunnel.models.built import Built, BuiltSource, per_channel
from windtunnel.models.hub import cached_revision, fetching, require
from windtunnel.models.stamps import folder_stamps
from windtunnel.seeding import scoped

if TYPE_CHECKING:
    from windtunnel.models.processor import Processed


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TransformersModel(BuiltSource):
    """An image classifier by its hub name, e.g. "transformers/google/vit-base-patch16-224", or by its folder.

    Code that comes with weights is never run.

    Args:
        name: "owner/repository", or the path of a `save_pretrained` folder.
        revision: commit, branch or tag on the hub; pin a commit to keep a suite reproducible.
        size: height and width of the network's input; the image processor's if left out.
        mean: per channel, for inputs in [0, 1]; the image processor's if left out.
        std: per channel; the image processor's if left out. Where both are given the processor is not asked for anything.
        interpolation: how inputs are resized; the image processor's if left out.
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

    def build(self) -> Built:
        """The classifier, wrapped so that it answers with plain logits.

        Raises:
            ModelError: no such repository or folder, no network, an architecture that is no image classifier,
                weights with holes, or no image processor where `mean` and `std` are not given.
        """
        require("transformers", self.title)
        from torch import nn

        from windtunnel.models.head import Logits

        network, untrained = self._network()
        expected = self._preprocessing(network.config)
        wrapped: nn.Module = Logits(network, reverse=expected.reversed_channels)
        return Built(wrapped, expected.preprocessing, untrained)

    def stamp(self) -> str:
        """Arguments, library versions, and the folder's files or the revision in the hub's cache."""
        folder = Path(self.name).expanduser()
        if folder.is_dir():
            return self.stamped(files=folder_stamps(folder))
        return self.stamped(revision=cached_revision(self.name, self.revision))

    def identity(self) -> dict[str, Any]:
        """Arguments, without the name where it is a path; the configuration of a folder instead."""
        folder = Path(self.name).expanduser()
        described = self.describe()
        if not (folder / "config.json").is_file():
            return described
        arguments = {key: value for key, value in described["arguments"].items() if key != "name"}
        return {**described, "arguments": arguments, "config": hashlib.sha256((folder / "config.json").read_bytes()).hexdigest()}

    def _network(self) -> tuple[Any, frozenset[str]]:
        """The classifier, and the names of tensors that did not come with the weights."""
        from transformers import AutoModelForImageClassification

        try:
            with self._fetching(), quiet(), scoped("init", self.title):
                network, report = AutoModelForImageClassification.from_pretrained(
                    self._place(), revision=self.revision, trust_remote_code=False, output_loading_info=True
                )
        except (ValueError, RuntimeError, KeyError) as error:
            raise ModelError(f"transformers cannot load {self.title} as an image classifier: {_first_line(error)}") from error
        if report["mismatched_keys"]:
            listed = ", ".join(str(key) for key in list(report["mismatched_keys"])[:5])
            raise ModelError(f"The weights of {self.title} have other shapes than its configuration says: {listed}. Use a complete checkpoint.")
        # The names are those of the network inside `Logits`.
        return network.eval(), frozenset(f"network.{key}" for key in report["missing_keys"])

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
                f"{self.title} has no usable image processor (preprocessor_config.json): {_first_line(error)} The normalisation belongs to the "
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


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from drawing bars and reports over the command's own display."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _image_size(config: Any) -> int | None:
    found = getattr(config, "image_size", None)
    return found if isinstance(found, int) else None


def _first_line(error: Exception) -> str:
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    return text if text.endswith(".") else f"{text}."
