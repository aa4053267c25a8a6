"""What somebody sees while cells are fine-tuned."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from windtunnel.cli.curves import figures, sparkline
from windtunnel.cli.terminal import TerminalProgress
from windtunnel.core.cell import Cell, Labels
from windtunnel.core.recipe import Epoch


def epochs(stage: str, *figures: tuple[float, float]) -> list[Epoch]:
    return [Epoch(stage, number, loss, accuracy) for number, (loss, accuracy) in enumerate(figures, start=1)]


def test_a_sparkline_is_lowest_at_the_least_and_highest_at_the_largest_value() -> None:
    assert sparkline([0.0, 7.0, 3.0, 4.0]) == "▁█▄▅"
    assert sparkline([2.0, 2.0]) == "▅▅"


def test_the_figures_are_of_the_latest_epoch_and_the_curves_of_its_stage() -> None:
    curve = [*epochs("probe", (9.0, 0.1)), *epochs("full", (2.0, 0.5), (1.0, 0.75), (0.0, 1.0))]
    assert figures(curve) == "loss 0 █▅▁  val 100.0 % ▁▅█"
    assert figures([Epoch("full", 1, 0.25, 0.9, 0.4)]) == "loss 0.25 ▅  val 90.0 % ▅  robust 40.0 %"
    assert figures(epochs("full", *[(1.0, 0.1)] * 30)).count("▅") == 20, "ten epochs at most, twice"


@pytest.fixture
def cell() -> Cell:
    return Cell("finetune", Labels("tiny", "full", 0), {"seed": 0}, 10.0)


def test_the_line_of_a_running_cell_shows_its_curves_until_it_is_done(cell) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=160, height=20)
    with TerminalProgress(console) as progress:
        progress.planned([cell], 0)
        progress.started(cell)
        for done, epoch in enumerate(epochs("full", (2.0, 0.5), (1.0, 0.75)), start=1):
            progress.learned(cell, epoch)
            progress.advanced(cell, done, 5)
        progress.bars.refresh()
        (line,) = [task for task in progress.bars.tasks if task.id == progress.lines[cell.key]]
        assert (line.completed, line.total) == (2, 5)
        assert "loss 1 █▁  val 75.0 % ▁█" in console.file.getvalue()
        progress.finished(cell, 1.0, "")
        assert len(progress.bars.tasks) == 1
        assert progress.curves == {}
