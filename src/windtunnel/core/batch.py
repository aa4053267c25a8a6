"""Batch: inputs with their labels and stable sample ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self

from typing_extensions import TypeVar

from windtunnel.errors import DataError

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Rows(Protocol):
    """What holds one input a row: a tensor, or `Texts`."""

    def __len__(self) -> int:
        """Number of rows."""
        ...

    def __getitem__(self, rows: Any, /) -> Self:
        """The rows of a slice, or at a list of numbers."""
        ...

    def to(self, device: Any, /) -> Self:
        """The same rows on a device, where that means anything."""
        ...


Inputs = TypeVar("Inputs", bound=Rows, default="Tensor")
"""Kind of the inputs: a tensor of images where nothing else is said, `Texts` in the modality text."""


@dataclass(frozen=True)
class Batch(Generic[Inputs]):
    """A piece of a data set.

    Args:
        inputs: images as float32 in [0, 1], or `Texts`.
        labels: int64 class indices.
        ids: one stable name per sample; randomness is keyed by it.
    Shapes:
        inputs (batch, channel, height, width) for images; labels (batch,).
    Raises:
        DataError: the three differ in length.
    """

    inputs: Inputs
    labels: Tensor
    ids: tuple[str, ...]

    def __post_init__(self) -> None:
        if not len(self.inputs) == len(self.labels) == len(self.ids):
            raise DataError(f"A batch has {len(self.inputs)} inputs, {len(self.labels)} labels and {len(self.ids)} ids; they must be as many.")

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, indices: Sequence[int] | Tensor) -> Batch[Inputs]:
        """The samples at `indices`, in that order."""
        import torch

        rows = torch.as_tensor(indices, dtype=torch.long).tolist()
        return Batch(self.inputs[rows], self.labels[rows], tuple(self.ids[row] for row in rows))

    def chunks(self, size: int) -> Iterator[Batch[Inputs]]:
        """Consecutive pieces of at most `size` samples."""
        for start in range(0, len(self), size):
            stop = start + size
            yield Batch(self.inputs[start:stop], self.labels[start:stop], self.ids[start:stop])

    def to(self, device: torch.device | str) -> Batch[Inputs]:
        """The same samples on another device."""
        return Batch(self.inputs.to(device), self.labels.to(device), self.ids)


def joined(parts: Sequence[Rows]) -> Any:
    """Rows of one kind, one after the other, as one."""
    import torch

    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    if isinstance(first, torch.Tensor):
        return torch.cat(list(parts))  # type: ignore[arg-type]  # they are of one kind
    return replace(first, rows=tuple(row for part in parts for row in part.rows))  # type: ignore[type-var,attr-defined]  # texts
