"""Clean against robust accuracy: what an entry pays for what it gains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from windtunnel.core.estimate import Estimate
from windtunnel.reporting.charts import BOTTOM, HEIGHT, LEFT, LETTER, TOP, WIDTH, Label, Mark, Panel, Rule, Style, percent_ticks, short
from windtunnel.reporting.columns import Column
from windtunnel.reporting.leaderboard import Entry, Leaderboard
from windtunnel.reporting.scales import Scale, round_numbers
from windtunnel.reporting.texts import interval, percent

_TALL = HEIGHT + 30
_EDGE = 14

Box = tuple[float, float, float, float]


def tradeoffs(board: Leaderboard, looks: dict[str, Style]) -> Iterator[Panel]:
    """A panel for each robust figure, against the clean accuracy of the same benchmark or else of the first."""
    clean = [column for column in board.columns if column.family == "clean"]
    for column in board.columns:
        if column.family != "clean" and clean:
            yield _panel(board, next((item for item in clean if item.benchmark == column.benchmark), clean[0]), column, looks)


def _panel(board: Leaderboard, clean: Column, robust: Column, looks: dict[str, Style]) -> Panel:
    points = []
    for entry in board.entries:
        across, up = entry.figures[clean.name].estimate, entry.figures[robust.name].estimate
        if across is not None and up is not None:
            points.append((entry, across, up))
    xs, ys = _range([across for _, across, _ in points]), _range([up for _, _, up in points])
    x = Scale(xs[0], xs[-1], LEFT + 4, WIDTH - _EDGE)
    y = Scale(ys[0], ys[-1], _TALL - BOTTOM, TOP)
    marks = tuple(Mark(x(across.value), y(up.value), looks[entry.name], _tooltip(entry, across, up)) for entry, across, up in points)
    rules = [rule for (_, across, up), mark in zip(points, marks, strict=True) for rule in _cross(x, y, across, up, mark)]
    best = ", ".join(f"{entry.name} ({percent(across.value)} clean, {percent(up.value)})" for entry, across, up in points[:3])
    return Panel(
        title=robust.title,
        description=f"Clean accuracy across, {robust.title} up, one mark per entry. First three of the ranking: {best or 'none'}.",
        width=WIDTH,
        height=_TALL,
        frame=(LEFT, TOP, WIDTH - _EDGE + 4, _TALL - BOTTOM),
        x_ticks=percent_ticks(x, xs),
        y_ticks=percent_ticks(y, ys),
        x_label="clean accuracy, %",
        y_label="robust accuracy, %",
        marks=marks,
        rules=tuple(rules),
        labels=tuple(_labels([entry for entry, _, _ in points], marks, looks)),
        failed=tuple(entry.name for entry in board.entries if entry.name not in {point[0].name for point in points}),
    )


def _range(estimates: Sequence[Estimate]) -> tuple[float, ...]:
    """Round numbers around the values; never so narrow that noise would look like a difference."""
    low = min((estimate.value for estimate in estimates), default=0.0)
    high = max((estimate.value for estimate in estimates), default=1.0)
    slack = max(0.03, (high - low) * 0.08, (0.2 - (high - low)) / 2)
    found = round_numbers(max(0.0, low - slack), min(1.0, high + slack))
    return tuple(value for value in found if -1e-9 <= value <= 1 + 1e-9)


def _cross(x: Scale, y: Scale, across: Estimate, up: Estimate, mark: Mark) -> tuple[Rule, Rule]:
    return (Rule(x(across.low), mark.y, x(across.high), mark.y), Rule(mark.x, y(up.low), mark.x, y(up.high)))


def _tooltip(entry: Entry, across: Estimate, up: Estimate) -> str:
    return f"{entry.name}: {percent(up.value)} % ({interval(up)}) robust, {percent(across.value)} % ({interval(across)}) clean"


def _labels(entries: Sequence[Entry], marks: Sequence[Mark], looks: dict[str, Style]) -> Iterator[Label]:
    """Recipes beside their marks where there is room, best entries first."""
    taken: list[Box] = [(mark.x - 6, mark.y - 6, mark.x + 6, mark.y + 6) for mark in marks]
    for entry, mark in zip(entries, marks, strict=True):
        text = short(entry.recipe, 16)
        length = len(text) * LETTER
        for left, height, anchor in (
            (mark.x + 9, mark.y + 4, "start"),
            (mark.x - 9 - length, mark.y + 4, "end"),
            (mark.x - length / 2, mark.y - 10, "middle"),
            (mark.x - length / 2, mark.y + 18, "middle"),
        ):
            box = (left, height - 9, left + length, height + 3)
            inside = box[0] > LEFT + 2 and box[2] < WIDTH - 2 and box[1] > 0 and box[3] < _TALL - BOTTOM
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                at = {"start": left, "end": left + length, "middle": left + length / 2}[anchor]
                yield Label(round(at, 1), round(height, 1), text, looks[entry.name], anchor)
                break


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
