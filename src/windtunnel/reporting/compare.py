"""Compare: every two entries of a run on one figure, paired on the same samples and corrected for their number."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from windtunnel.errors import UnknownNameError, suggest
from windtunnel.reporting.columns import Column
from windtunnel.reporting.folder import RunFolder
from windtunnel.reporting.leaderboard import Leaderboard, Pair, compared


@dataclass(frozen=True)
class Comparisons:
    """What the pairs of one column say.

    Args:
        column: what was compared.
        pairs: the smallest p-value first.
        left_out: entries without that figure.
    """

    column: Column
    pairs: tuple[Pair, ...]
    left_out: tuple[str, ...]


def compare(run: Path | str | RunFolder, column: str = "") -> Comparisons:
    """Compare all pairs of entries.

    Args:
        run: a run's folder or a published one.
        column: name of a column; the headline if empty.
    Raises:
        RecordError: the folder cannot be read.
        UnknownNameError: there is no such column.
    """
    folder = run if isinstance(run, RunFolder) else RunFolder.load(run)
    board = Leaderboard.of(folder)
    chosen = board.column(column) if column else board.headline
    if chosen is None:
        names = [item.name for item in board.columns]
        raise UnknownNameError(f"{folder.path} has no column {column!r}. {suggest(column, names)}")
    pairs = compared(board.entries, chosen.name)
    missing = tuple(entry.name for entry in board.entries if entry.figures[chosen.name].estimate is None)
    return Comparisons(chosen, tuple(sorted(pairs, key=lambda pair: (pair.corrected, pair.p_value))), missing)
