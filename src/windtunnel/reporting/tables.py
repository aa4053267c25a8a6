"""Tables for the terminal: compact, with intervals, flags and failures in sight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windtunnel.reporting.spent import threat_rows
from windtunnel.reporting.texts import brief, count, listed, one_line, percent, points, probability

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from windtunnel.reporting.compare import Comparisons
    from windtunnel.reporting.figures import Figure
    from windtunnel.reporting.leaderboard import Leaderboard
    from windtunnel.reporting.report import Report


def leaderboard_table(board: Leaderboard) -> Table:
    """The leaderboard, best first; the column that ranks is bold."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    ranked = [entry for entry in board.entries if entry.rank is not None]
    caption = "Accuracy in percent, 95 % interval below. Entries share a rank where the data cannot tell them apart."
    if any(figure.flags for entry in board.entries for figure in entry.figures.values()):
        caption += " ⚑: flagged, see the report."
    if len(ranked) < len(board.entries):
        caption += " Failed figures have no rank."
    table = Table(title=Text(one_line(board.suite), style="bold"), caption=caption, header_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("#", justify="right")
    table.add_column("recipe, model", overflow="fold")
    for column in board.columns:
        table.add_column(Text(one_line(column.title)), justify="right", overflow="fold")
    shown = brief([entry.model for entry in board.entries])
    for entry in board.entries:
        rank = Text("–", style="red") if entry.rank is None else Text(str(entry.rank))
        figures = [_figure(entry.figures[column.name], bold=column is board.headline) for column in board.columns]
        name = Text.assemble(one_line(entry.recipe), "\n", (one_line(shown[entry.model]), "dim"))
        table.add_row(rank, name, *figures)
    return table


def _figure(figure: Figure, *, bold: bool) -> Text:
    from rich.text import Text

    if figure.estimate is None:
        return Text("failed", style="bold red")
    text = Text(percent(figure.estimate.value), style="bold" if bold else "")
    if figure.flags:
        text.append(" ⚑", style="yellow")
    text.append(f"\n{percent(figure.estimate.low, 0)}–{percent(figure.estimate.high, 0)}", style="not bold dim")
    return text


def threat_table(report: Report) -> Table:
    """Every threat at every level, with what it cost and the flags by name: an entry's numbers before they are summed up."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(header_style="bold", box=SIMPLE_HEAD, padding=(0, 2, 0, 0))
    several = len(report.leaderboard.entries) > 1
    for name in ("threat", "level", "accuracy", "95 % interval", "n", "passes", "queries", "flags"):
        table.add_column(name, justify="left" if name in ("threat", "flags") else "right", overflow="fold")
    for row in threat_rows(report.folder, report.leaderboard.entries):
        name = f"{row.threat}, {row.entry.name}" if several else row.threat
        estimate = row.figure.estimate
        if estimate is None:
            table.add_row(one_line(name), row.level, Text("failed", style="bold red"), "", "", "", "", one_line(row.figure.reason))
            continue
        ends = f"{percent(estimate.low)}–{percent(estimate.high)}"
        flags = Text(", ".join(flag.name for flag in row.figure.flags), style="yellow")
        table.add_row(one_line(name), row.level, percent(estimate.value), ends, str(estimate.n), f"{row.passes:,}", f"{row.queries:,}", flags)
    return table


def comparison_table(comparisons: Comparisons) -> Table:
    """Every two entries on one column, the clearest differences first."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    caption = f"{one_line(comparisons.column.explanation)} Corrected for {count(len(comparisons.pairs), 'comparison')} (Holm)."
    tests = list(dict.fromkeys(pair.test for pair in comparisons.pairs))
    if tests:
        caption += f" Test: {listed(tests)}."
    if comparisons.left_out:
        caption += f" Left out, for want of a figure: {', '.join(one_line(name) for name in comparisons.left_out)}."
    table = Table(
        title=Text(one_line(comparisons.column.title), style="bold"),
        caption=Text(caption),
        header_style="bold",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for name in ("better", "worse"):
        table.add_column(name, overflow="fold")
    for name in ("difference", "95 % interval", "p", "corrected"):
        table.add_column(name, justify="right", no_wrap=True)
    for pair in comparisons.pairs:
        ends = f"{points(pair.difference.low).removesuffix(' pp')} to {points(pair.difference.high)}"
        cells = [points(pair.difference.value), ends, probability(pair.p_value), probability(pair.corrected)]
        style = "" if pair.separated else "dim"
        table.add_row(*(Text(one_line(cell), style=style) for cell in (pair.left, pair.right, *cells)))
    return table
