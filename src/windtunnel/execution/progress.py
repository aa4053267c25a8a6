"""Progress: what a run tells whoever watches it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from windtunnel.core.cell import Cell
from windtunnel.core.recipe import Epoch


class Progress(Protocol):
    """Told about a run as it goes; the command line draws it."""

    def planned(self, todo: Sequence[Cell], held: int) -> None:
        """The cells to compute, and how many the store already holds."""

    def started(self, cell: Cell) -> None:
        """A worker took a cell."""

    def advanced(self, cell: Cell, done: int, total: int) -> None:
        """A fine-tuning cell finished another epoch."""

    def learned(self, cell: Cell, epoch: Epoch) -> None:
        """The figures of that epoch."""

    def finished(self, cell: Cell, seconds: float, error: str) -> None:
        """A cell is done, or failed with `error`."""

    def note(self, text: str) -> None:
        """Something worth a line: a damaged entry set aside, data being loaded."""


class Silent:
    """Progress that nobody watches."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *reason: object) -> None:
        """Nothing was opened."""

    def planned(self, todo: Sequence[Cell], held: int) -> None:
        """Say nothing."""

    def started(self, cell: Cell) -> None:
        """Say nothing."""

    def advanced(self, cell: Cell, done: int, total: int) -> None:
        """Say nothing."""

    def learned(self, cell: Cell, epoch: Epoch) -> None:
        """Say nothing."""

    def finished(self, cell: Cell, seconds: float, error: str) -> None:
        """Say nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""
