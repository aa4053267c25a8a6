"""An image classification data set of the Hugging Face hub, or files in one of its formats; and what text ones share with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Dataset, Splits
from windtunnel.datasets import files, hub, pictures
from windtunnel.datasets.labels import class_index, class_names
from windtunnel.datasets.pictures import Pictures
from windtunnel.datasets.resize import Channels
from windtunnel.datasets.source import SplittingSource
from windtunnel.errors import DataError, suggest

SPLIT_NAMES = {"train": ("train",), "val": ("validation", "val", "valid", "dev"), "test": ("test",)}
"""What data sets call our splits; the first that is there is taken."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class HubSource(SplittingSource):
    """Base of the data sets opened with Hugging Face `datasets`; code that comes with data is never run.

    Args:
        name: name on the hub, e.g. "uoft-cs/cifar10", or a local folder or .parquet file.
        revision: commit, tag or branch on the hub. Name a commit: a branch may move, which shows only when the data is loaded.
        config: configuration, where the data set has several.
        label: column of labels: class numbers or names.
        train, val, test: what the splits are called there; the usual names if left out, unless another split is called so here.
        cache: folder for downloads; None for the library's own.
        fractions: shares of train, val and test, where the data has no test split.
        seed: another seed is another split.
    """

    name: str
    revision: str | None = None
    config: str | None = None
    label: str = "label"
    train: str | None = None
    val: str | None = None
    test: str | None = None
    cache: str | None = None

    @property
    def title(self) -> str:
        """The name on the hub, or that of the file or folder."""
        return self.name if not self.name.startswith(("/", ".", "~")) else Path(self.name).stem or self.use

    def opened(self) -> dict[str, Any]:
        """The splits as `datasets` has them, by our names.

        Raises:
            MissingPackageError: `datasets` is not installed.
            DataError: data or a split that is not there.
        """
        found = hub.open_splits(self.name, config=self.config, revision=self.revision, cache=self.cache)
        return {split: found[theirs] for split, theirs in self._names(found).items()}

    def check_column(self, dataset: Any, column: str) -> None:
        """Refuse a split that is empty or lacks a column.

        Raises:
            DataError: in that case.
        """
        if column not in dataset.features:
            raise DataError(f"{self.title} has no column {column!r}. {suggest(column, dataset.features)}")
        if not len(dataset):
            raise DataError(f"{self.title} has a split without samples; expected some in each.")

    def stamp(self) -> str:
        """A text that changes with the arguments, the libraries and any local file; it cannot see a branch move on the hub."""
        place = Path(self.name).expanduser()
        return self.evidence(*(files.tree_state(place) if place.exists() else ["hub"]))

    def _names(self, found: Mapping[str, Any]) -> dict[str, str]:
        """Our split -> theirs; what the user names must be there."""
        named = {}
        claimed = {self.train, self.val, self.test}
        for split, usual in SPLIT_NAMES.items():
            given: str | None = getattr(self, split)
            if given is not None and given not in found:
                raise DataError(f"{self.title} has no split {given!r}. {suggest(given, found)}")
            theirs = given or next((name for name in usual if name in found and name not in claimed), None)
            if theirs is not None:
                named[split] = theirs
        if not named:
            raise DataError(f"{self.title} has the splits {', '.join(found)}; say which of them are `train`, `val` and `test`.")
        return named

    def found_classes(self, labels: Mapping[str, Sequence[Any]]) -> tuple[str, ...]:
        """The labels of train, or of all splits where there is no train."""
        told = [labels["train"]] if "train" in labels else list(labels.values())
        return class_names(str(value) for values in told for value in values)

    def class_of(self, value: Any, classes: tuple[str, ...], mapped: bool, place: str) -> int:
        """The class index of a label; in a column with a label map numbers are indices, whatever the classes are called."""
        if not isinstance(value, int | str):
            raise DataError(f"{self.title}, {place}: the label is {value!r}; expected a class number or name.")
        if mapped and isinstance(value, int):
            if not 0 <= value < len(classes):
                raise DataError(f"{self.title}, {place}: the label {value} is outside the label map of {len(classes)} classes.")
            return value
        try:
            return class_index(str(value), classes)
        except DataError as error:
            raise DataError(f"{self.title}, {place}: {error}") from None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class HuggingFace(HubSource):
    """An image data set opened with Hugging Face `datasets`; code that comes with data is never run.

    Args:
        name: name on the hub, e.g. "uoft-cs/cifar10", or a local folder or .parquet file.
        revision: commit, tag or branch on the hub. Name a commit: a branch may move, which shows only when the data is loaded.
        config: configuration, where the data set has several.
        image: column of images.
        label: column of labels: class numbers or names.
        train, val, test: what the splits are called there; the usual names if left out, unless another split is called so here.
        size: side of the square images are brought to; None if all have one size already.
        channels: 1 for grey, 3 for RGB; None for what the first image has.
        cache: folder for downloads; None for the library's own.
        fractions: shares of train, val and test, where the data has no test split.
        seed: another seed is another split.
    """

    use: ClassVar[str] = "huggingface"
    libraries: ClassVar[tuple[str, ...]] = ("datasets", "pillow")

    image: str = "image"
    size: Annotated[int, Field(ge=1, le=4096)] | None = None
    channels: Channels | None = None

    def load(self) -> Splits:
        """Open, check, de-duplicate and split the data.

        Raises:
            MissingPackageError: `datasets` is not installed.
            DataError: data, a split or a column that is not there, an unreadable image, or a label outside the map.
        """
        named = self.opened()
        for dataset in named.values():
            self._check_columns(dataset)
        labels = {split: list(dataset[self.label]) for split, dataset in named.items()}
        names = label_map(next(iter(named.values())).features[self.label])
        classes = names or self.found_classes(labels)
        store: Pictures | None = None
        parts = {}
        for split, dataset in named.items():
            indices = [self.class_of(value, classes, bool(names), f"{split}, row {row}") for row, value in enumerate(labels[split])]
            ids = tuple(f"{self.title}/{split}/{row:06d}" for row in range(len(indices)))
            store = self._pictures(dataset, split, store)
            parts[split] = Dataset(self.title, classes, ids, np.array(indices, dtype=np.int64), store)
        return self.assemble(parts)

    def _check_columns(self, dataset: Any) -> None:
        from datasets import Image

        for column in (self.image, self.label):
            self.check_column(dataset, column)
        feature = dataset.features[self.image]
        if not isinstance(feature, Image):
            raise DataError(f"{self.title}: the column {self.image!r} holds {feature}; expected images. Name the column of images in `image`.")

    def _pictures(self, dataset: Any, split: str, store: Pictures | None) -> Pictures:
        draw = _drawer(dataset, self.image)

        def where(row: int) -> str:
            return f"{self.title}, {split}, row {row}"

        return pictures.like_first(draw, where, self.size, self.channels) if store is None else pictures.same_kind(store, draw, where)


def label_map(feature: Any) -> tuple[str, ...]:
    """The class names that a column of labels brings along; empty if it brings none."""
    return tuple(getattr(feature, "names", None) or ())


def _drawer(dataset: Any, column: str) -> Callable[[int], Any]:
    """Row -> picture, decoded here rather than by `datasets`, so that damage is met in one way."""
    from datasets import Image

    encoded = dataset.select_columns([column]).cast_column(column, Image(decode=False))

    def draw(row: int) -> Any:
        cell = encoded[row][column]
        if cell is None:
            raise DataError("there is no image in this row; remove the row")
        content: bytes | None = cell["bytes"]
        return pictures.open_picture(content if content is not None else Path(cell["path"]))

    return draw
