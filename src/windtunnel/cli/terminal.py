"""Drawing a run's progress: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from windtunnel.cli.curves import figures
from windtunnel.cli.durations import duration
from windtunnel.core.cell import Cell
from windtunnel.core.recipe import Epoch

QUIET_SECONDS = 10.0
"""Without a terminal, a line at least this far apart."""


class TerminalProgress:
    """Progress of a run on a console; a context manager.

    Args:
        console: where to draw.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[extra]}"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self.whole: TaskID | None = None
        self.lines: dict[str, TaskID] = {}
        self.curves: dict[str, list[Epoch]] = {}
        self.effort = self.spent = 0.0
        self.count = self.done = 0
        self.started_at = self.told_at = time.monotonic()

    def __enter__(self) -> TerminalProgress:
        self.bars.start()
        return self

    def __exit__(self, *reason: object) -> None:
        self.bars.stop()

    def planned(self, todo: Sequence[Cell], held: int) -> None:
        """Say what is to do and open the bar over all cells."""
        if not todo:
            self.console.print(f"Nothing to compute: the store holds all {held} cells.")
            return
        self.console.print(f"{len(todo)} cells to compute" + (f", {held} held by the store." if held else "."))
        self.started_at = time.monotonic()
        self.effort, self.count = sum(cell.passes for cell in todo), len(todo)
        self.whole = self.bars.add_task("all cells", total=len(todo), extra="")

    def started(self, cell: Cell) -> None:
        """Open a line for the cell."""
        self.lines[cell.key] = self.bars.add_task(f"  {_short(cell)}", total=None, extra="")

    def advanced(self, cell: Cell, done: int, total: int) -> None:
        """Move the cell's line."""
        self.bars.update(self.lines[cell.key], completed=done, total=total)

    def learned(self, cell: Cell, epoch: Epoch) -> None:
        """Show how the cell's loss and validation accuracy went so far."""
        curve = self.curves.setdefault(cell.key, [])
        curve.append(epoch)
        self.bars.update(self.lines[cell.key], extra=figures(curve))

    def finished(self, cell: Cell, seconds: float, error: str) -> None:
        """Close the cell's line; failures stay on the screen."""
        line = self.lines.pop(cell.key, None)
        self.curves.pop(cell.key, None)
        if line is not None:
            self.bars.remove_task(line)
        self.done += 1
        self.spent += cell.passes
        if error:
            self.console.print(f"FAILED  {cell.labels}: {error}", style="red", markup=False, highlight=False)
        if self.whole is not None:
            self.bars.update(self.whole, advance=1, extra=self._left())
        if not self.console.is_terminal and time.monotonic() - self.told_at > QUIET_SECONDS:
            self.told_at = time.monotonic()
            self.console.print(f"{self.done} of {self.count} cells, {self._left()}", highlight=False)

    def note(self, text: str) -> None:
        """Print a line above the bars."""
        self.console.print(text, markup=False, highlight=False)

    def _left(self) -> str:
        if not self.spent:
            return ""
        left = (time.monotonic() - self.started_at) * (self.effort - self.spent) / self.spent
        return f"about {duration(left)} left"


def _short(cell: Cell) -> str:
    text = str(cell.labels)
    return text if len(text) <= 70 else text[:69] + "…"
