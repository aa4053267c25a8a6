"""Any image classification data set of torchvision, by the name of its class."""

from __future__ import annotations

import inspect
import pickle
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Dataset, Splits
from windtunnel.datasets import files, pictures
from windtunnel.datasets.pictures import Pictures
from windtunnel.datasets.resize import Channels
from windtunnel.datasets.source import SplittingSource
from windtunnel.errors import DataError, MissingPackageError, suggest

SPLIT_NAMES = {"train": ("train", "trainval"), "val": ("val", "valid"), "test": ("test",)}
"""What torchvision's classes call our splits; the first that a class knows is taken."""

FAILURES = (
    OSError,  # no network, no file, no space
    RuntimeError,  # "Dataset not found or corrupted", also of a truncated file
    ValueError,
    AssertionError,
    EOFError,
    LookupError,
    TypeError,
    pickle.UnpicklingError,
    tarfile.TarError,
    zipfile.BadZipFile,
)
"""What torchvision's classes raise for data that is absent or damaged."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Torchvision(SplittingSource):
    """A data set of `torchvision.datasets` with its official splits.

    Args:
        name: name of the class, e.g. "CIFAR10".
        root: folder of the data; "~" stands for the home folder.
        download: fetch what is missing, where torchvision can.
        options: further arguments of the class, e.g. {split: letters} for EMNIST.
        size: side of the square images are brought to; None if all have one size already.
        channels: 1 for grey, 3 for RGB; None for what the first image has.
        fractions: shares of train, val and test, where the data has no test split.
        seed: another seed is another split.
    """

    use: ClassVar[str] = "torchvision"
    libraries: ClassVar[tuple[str, ...]] = ("torchvision", "pillow")

    name: str
    root: str = "~/.cache/windtunnel/torchvision"
    download: bool = True
    options: dict[str, str | int | float | bool] = field(default_factory=dict, hash=False)
    size: Annotated[int, Field(ge=1, le=4096)] | None = None
    channels: Channels | None = None

    @property
    def title(self) -> str:
        """The name of the class."""
        return self.name

    def load(self) -> Splits:
        """Fetch what is missing, then read, check, de-duplicate and split the images.

        Raises:
            MissingPackageError: torchvision, or what this class needs besides, is not installed.
            DataError: no such class, no classification data, or data that is missing, damaged or cannot be fetched.
        """
        kind = _class(self.name)
        found = {split: self._open(kind, arguments) for split, arguments in self._choices(kind).items()}
        offered = {split: dataset for split, dataset in found.items() if dataset is not None}
        if not offered:
            raise DataError(f"torchvision's {self.name} offers none of the splits train, val and test; name one in `options`.")
        labels = {split: self._labels(dataset) for split, dataset in offered.items()}
        classes = _classes(next(iter(offered.values())), max(label for found in labels.values() for label in found))
        store: Pictures | None = None
        parts = {}
        for split, dataset in offered.items():
            store = self._pictures(dataset, split, store)
            ids = tuple(f"{self.name}/{split}/{row:06d}" for row in range(len(dataset)))
            parts[split] = Dataset(self.title, classes, ids, np.array(labels[split], dtype=np.int64), store)
        return self.assemble(parts)

    def stamp(self) -> str:
        """A text that changes with the arguments, the libraries, and any file's path, size or time below `root`."""
        return self.evidence(*files.tree_state(Path(self.root).expanduser()))

    def _choices(self, kind: Any) -> dict[str, list[dict[str, Any]]]:
        """Split -> the arguments to try for it, in order."""
        from torchvision.datasets import MNIST

        known = inspect.signature(kind.__init__).parameters
        # Kin of MNIST take `train` among their keyword arguments, also where `split` means something else.
        if "train" in known or issubclass(kind, MNIST):
            return {"train": [{"train": True}], "test": [{"train": False}]}
        if "split" in known and "split" not in self.options:
            return {split: [{"split": name} for name in names] for split, names in SPLIT_NAMES.items()}
        return {"train": [{}]}

    def _open(self, kind: Any, choices: Sequence[dict[str, Any]]) -> Any | None:
        """The data set under the first of `choices` that its class knows; None if it knows none."""
        from torchvision.datasets import MNIST

        known = inspect.signature(kind.__init__).parameters
        fetch = {"download": self.download} if "download" in known or issubclass(kind, MNIST) else {}
        root = Path(self.root).expanduser()
        for arguments in choices:
            try:
                return kind(root=str(root), **fetch, **self.options, **arguments)
            except ImportError as error:
                raise MissingPackageError(f"torchvision's {self.name} needs a package that is not installed: {error}") from error
            except FAILURES as error:
                # torchvision offers no list of a class's splits; this sentence is how it says that there is no such one.
                if "split" in arguments and str(error).startswith(f"Unknown value '{arguments['split']}'"):
                    continue
                raise DataError(self._absent(root, error)) from error
        return None

    def _absent(self, root: Path, error: BaseException) -> str:
        reason = str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
        remedy = "check the network, or put" if self.download else "set `download: true`, or put"
        return (
            f"torchvision's {self.name} could not be loaded from {root}: {reason}. "
            f"Expected its complete files there; {remedy} them there by hand. Remove files that are damaged, for they are not fetched again."
        )

    def _labels(self, dataset: Any) -> list[int]:
        """The label of every sample, from the data set's own list where it has one, else by reading each sample."""
        if not len(dataset):
            raise DataError(f"torchvision's {self.name} holds no samples; expected some. Remove its files and fetch them anew.")
        values = _listed(dataset)
        try:
            if values is None or values[0] != dataset[0][1]:
                values = [dataset[row][1] for row in range(len(dataset))]
        except FAILURES as error:
            raise DataError(f"torchvision's {self.name} holds a sample that cannot be read: {error}. Fetch its files anew.") from error
        if not all(isinstance(value, int | np.integer) for value in values):
            raise DataError(f"torchvision's {self.name} is no classification data set: a target is {values[0]!r}; expected a class number.")
        return [int(value) for value in values]

    def _pictures(self, dataset: Any, split: str, store: Pictures | None) -> Pictures:
        def draw(row: int) -> Any:
            return dataset[row][0]

        def where(row: int) -> str:
            return f"torchvision's {self.name}, {split}, row {row}"

        return pictures.like_first(draw, where, self.size, self.channels) if store is None else pictures.same_kind(store, draw, where)


def _class(name: str) -> Any:
    """The class of torchvision called `name`."""
    try:
        from torchvision import datasets
    except ImportError as error:
        raise MissingPackageError("The source 'torchvision' needs torchvision: pip install 'windtunnel[vision]'") from error
    folders = ("ImageFolder", "DatasetFolder")
    if name in folders:
        raise DataError(f"For images in folders use the source 'folder' instead of torchvision's {name}.")
    choices = {
        choice: kind
        for choice in datasets.__all__
        if inspect.isclass(kind := getattr(datasets, choice)) and "root" in inspect.signature(kind.__init__).parameters and choice not in folders
    }
    if name not in choices:
        raise DataError(f"torchvision has no data set {name!r}. {suggest(name, choices)}".rstrip())
    return choices[name]


def _listed(dataset: Any) -> list[Any] | None:
    """The list of labels that a data set keeps, under whichever name."""
    for attribute in ("targets", "labels", "_labels"):
        found: Any = getattr(dataset, attribute, None)
        values = found.tolist() if hasattr(found, "tolist") else found
        if isinstance(values, list) and len(values) == len(dataset):
            return values
    return None


def _classes(dataset: Any, largest: int) -> tuple[str, ...]:
    """Class names as torchvision has them, synonyms joined by a comma; numbers where it has none."""
    names = getattr(dataset, "classes", None)
    if not names:
        return tuple(str(label) for label in range(largest + 1))
    return tuple(name if isinstance(name, str) else ", ".join(name) for name in names)
