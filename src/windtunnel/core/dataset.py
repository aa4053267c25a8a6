"""Dataset: images or texts with labels, class names and stable ids, read only when asked for; and the source that loads one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from windtunnel.core.batch import Batch
from windtunnel.core.configured import Configured
from windtunnel.core.modality import IMAGE, Modality
from windtunnel.core.texts import Texts
from windtunnel.errors import DataError, suggest

if TYPE_CHECKING:
    import torch

Pixels = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int64]
SPLITS = ("train", "val", "test")


class ImageStore(Protocol):
    """Where pixels come from: an array in memory, or files decoded on demand."""

    def __getitem__(self, indices: Indices) -> Pixels:
        """The images at `indices`, uint8 (n, height, width, channel)."""
        ...


Store = ImageStore | Texts
"""Where samples come from; texts are their own store."""


@dataclass(frozen=True)
class Dataset:
    """One split of a data set.

    Args:
        name: e.g. "digits[test]".
        classes: class names; a label is an index into them.
        ids: one stable, unique name per sample.
        labels: int64 (n,).
        store: the samples: gives uint8 images (n, height, width, channel), channel 1 or 3, or is `Texts`.
        groups: int64 (n,), where samples belong to groups that a classifier should serve alike; None where nothing is known of any.
    Raises:
        DataError: lengths differ, ids repeat, or a label is outside the classes.
    """

    name: str
    classes: tuple[str, ...]
    ids: tuple[str, ...]
    labels: npt.NDArray[np.int64]
    store: Store = field(repr=False)
    groups: npt.NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        for noun, found in (("labels", self.labels), ("groups", self.groups)):
            if found is not None and len(self.ids) != len(found):
                raise DataError(f"{self.name} has {len(self.ids)} ids and {len(found)} {noun}; they must be as many.")
        if len(set(self.ids)) != len(self.ids):
            raise DataError(f"{self.name} has repeated sample ids; each must be unique.")
        outside = np.flatnonzero((self.labels < 0) | (self.labels >= len(self.classes)))
        if len(outside):
            row = int(outside[0])
            raise DataError(f"{self.name}: sample {self.ids[row]!r} has label {self.labels[row]}, outside the {len(self.classes)} classes.")

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, indices: Sequence[int] | Indices, ids: tuple[str, ...] | None = None) -> Dataset:
        """The samples at `indices`, in that order; images are still read only when asked for.

        Args:
            ids: other names for them, where a sample is taken more than once.
        """
        rows = np.asarray(indices, dtype=np.int64)
        store = self.store[rows] if isinstance(self.store, Texts) else _Selection(self.store, rows)
        groups = None if self.groups is None else self.groups[rows]
        return replace(self, ids=ids or tuple(self.ids[row] for row in rows), labels=self.labels[rows], store=store, groups=groups)

    @property
    def modality(self) -> Modality[Any, Any]:
        """What the samples are."""
        from windtunnel.core.modalities import modality_of  # which needs to know what a data set is

        return modality_of(self.store)

    @property
    def in_memory(self) -> bool:
        """Whether samples are at hand, and nothing is read or decoded for them."""
        store = self.store
        while isinstance(store, _Selection):
            store = store.source
        return isinstance(store, np.ndarray | Texts)

    def stored(self, indices: Sequence[int] | Indices | None = None) -> Pixels | Texts:
        """Samples as they are kept: uint8 (n, height, width, channel), or texts."""
        rows = np.arange(len(self)) if indices is None else np.asarray(indices)
        return self.store[rows.astype(np.int64)]

    def pixels(self, indices: Sequence[int] | Indices | None = None) -> Pixels:
        """Images as uint8 (n, height, width, channel).

        Raises:
            DataError: the samples are texts.
        """
        found = self.stored(indices)
        if isinstance(found, Texts):
            raise DataError(f"{self.name} holds texts; images were asked for.")
        return found

    def texts(self, indices: Sequence[int] | Indices | None = None) -> Texts:
        """Samples as texts.

        Raises:
            DataError: the samples are images.
        """
        found = self.stored(indices)
        if not isinstance(found, Texts):
            raise DataError(f"{self.name} holds images; texts were asked for.")
        return found

    def batch(self, indices: Sequence[int] | Indices | None = None, device: torch.device | str = "cpu") -> Batch[Any]:
        """Samples as a victim takes them, with labels and ids: float32 (n, channel, height, width) in [0, 1], or texts."""
        import torch

        rows = (np.arange(len(self)) if indices is None else np.asarray(indices)).astype(np.int64)
        inputs = self.modality.inputs(self.stored(rows)).to(device)
        labels = torch.from_numpy(self.labels[rows]).to(device)
        return Batch(inputs, labels, tuple(self.ids[row] for row in rows))


@dataclass(frozen=True)
class _Selection:
    """A view of another store's images in another order."""

    source: ImageStore
    rows: Indices

    def __getitem__(self, indices: Indices) -> Pixels:
        return self.source[self.rows[indices]]


def to_inputs(pixels: Pixels) -> torch.Tensor:
    """uint8 (n, height, width, channel) to float32 (n, channel, height, width) in [0, 1]."""
    import torch

    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))).float().div_(255)


def to_pixels(inputs: torch.Tensor) -> Pixels:
    """Float (n, channel, height, width) in [0, 1] to uint8 (n, height, width, channel), rounded to the nearest level."""
    scaled = inputs.detach().cpu().mul(255).round().clamp(0, 255).byte()
    return np.ascontiguousarray(scaled.numpy().transpose(0, 2, 3, 1))


@dataclass(frozen=True)
class Audit:
    """What was found in the data before it was split.

    Args:
        found: samples before anything was removed.
        duplicates: ids removed because an equal sample came before them.
        conflicts: ids removed because equal samples carried different labels.
        constant: ids of images with one single value, or texts of one single character (kept, reported).
        missing: entries without image, text or label, left out (an error where the source does not say otherwise).
        excluded: ids of samples that the source's arguments left out, such as neutral ones where two classes are told apart.
        balance: class name -> number of samples kept.
    """

    found: int
    duplicates: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    constant: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    balance: Mapping[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "found": self.found,
            "duplicates": list(self.duplicates),
            "conflicts": list(self.conflicts),
            "constant": list(self.constant),
            "missing": list(self.missing),
            "excluded": list(self.excluded),
            "balance": dict(self.balance),
        }


@dataclass(frozen=True)
class Splits:
    """A loaded data set: its disjoint splits, its fingerprint and its audit.

    Args:
        name: the data set's name.
        splits: "train", "val", "test" -> Dataset; a source may offer fewer.
        fingerprint: sha256 over every sample, label, id and class name.
        audit: what was found and removed.
    """

    name: str
    splits: Mapping[str, Dataset]
    fingerprint: str
    audit: Audit

    @property
    def any(self) -> Dataset:
        """One of the splits; all have the same classes."""
        return next(iter(self.splits.values()))

    def __getitem__(self, split: str) -> Dataset:
        if split not in self.splits:
            raise DataError(f"{self.name} has no split {split!r}. {suggest(split, self.splits)}")
        return self.splits[split]


class DataSource(Configured, ABC):
    """A way to load a data set; its arguments are its fields."""

    @abstractmethod
    def load(self) -> Splits:
        """Read, check, de-duplicate and split the data.

        Raises:
            DataError: anything missing, truncated or unreadable, with the file named.
        """

    @abstractmethod
    def stamp(self) -> str:
        """A cheap text that changes whenever `load` could return something else (library version, sizes and times of files).

        Needs no heavy import; used to recognise data whose fingerprint is already known.
        """

    @property
    def title(self) -> str:
        """The name under which the data is shown."""
        return self.use

    @property
    def modality(self) -> str:
        """What its samples are, "image" or "text"; known without loading."""
        return IMAGE
