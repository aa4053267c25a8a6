"""Batch: inputs with their labels and stable sample ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from windtunnel.errors import DataError

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """A piece of a data set.

    Args:
        inputs: float32 in [0, 1].
        labels: int64 class indices.
        ids: one stable name per sample; randomness is keyed by it.
    Shapes:
        inputs (batch, channel, height, width); labels (batch,).
    Raises:
        DataError: the three differ in length.
    """

    inputs: Tensor
    labels: Tensor
    ids: tuple[str, ...]

    def __post_init__(self) -> None:
        if not len(self.inputs) == len(self.labels) == len(self.ids):
            raise DataError(f"A batch has {len(self.inputs)} inputs, {len(self.labels)} labels and {len(self.ids)} ids; they must be as many.")

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, indices: Sequence[int] | Tensor) -> Batch:
        """The samples at `indices`, in that order."""
        import torch

        chosen = torch.as_tensor(indices, dtype=torch.long)
        rows = chosen.tolist()
        place = chosen.to(self.inputs.device)
        return Batch(self.inputs[place], self.labels[place], tuple(self.ids[row] for row in rows))

    def chunks(self, size: int) -> Iterator[Batch]:
        """Consecutive pieces of at most `size` samples."""
        for start in range(0, len(self), size):
            stop = start + size
            yield Batch(self.inputs[start:stop], self.labels[start:stop], self.ids[start:stop])

    def to(self, device: torch.device | str) -> Batch:
        """The same samples on another device."""
        return Batch(self.inputs.to(device), self.labels.to(device), self.ids)
