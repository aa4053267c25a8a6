"""Accuracy against the radius of an attack and the severity of a corruption."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from windtunnel.core.configured import parse_fraction
from windtunnel.core.estimate import Estimate
from windtunnel.reporting.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Panel, Style, curve, end_labels, percent_ticks
from windtunnel.reporting.columns import Column, Part
from windtunnel.reporting.figures import Figure, figures
from windtunnel.reporting.folder import RunFolder
from windtunnel.reporting.leaderboard import Entry
from windtunnel.reporting.manifest import BenchmarkFacts, ThreatFacts
from windtunnel.reporting.scales import Scale, Tick


@dataclass(frozen=True)
class LevelGroup:
    """The charts of one threat, a panel per model, and the same numbers for a table.

    Args:
        name: anchor and title.
        benchmark: whose threat it is.
        unit: what a level is, e.g. "Linf radius".
        levels: texts of the levels, the unchanged samples first.
        panels: one per model.
        rows: (entry, figures by level).
        folded: whether it is detail that starts hidden.
    """

    name: str
    benchmark: str
    unit: str
    levels: tuple[str, ...]
    panels: tuple[Panel, ...]
    rows: tuple[tuple[Entry, tuple[Figure, ...]], ...]
    folded: bool


def level_groups(folder: RunFolder, entries: Sequence[Entry], looks: dict[str, Style]) -> Iterator[LevelGroup]:
    """Every attack, the mean over corruptions, and every corruption for itself."""
    for benchmark in folder.manifest.benchmarks:
        drawing = _Drawing(folder, benchmark, entries, looks)
        for threat in benchmark.family("attack"):
            # Attacks on texts have shares of words for levels, or severities.
            unit = "level" if threat.norm == "words" else f"{threat.norm or ''} radius".strip()
            yield drawing.group(threat.name, unit, _points((threat,)), folded=False)
        corruptions = benchmark.family("corruption")
        if len(corruptions) > 1:
            yield drawing.group(f"Mean of {len(corruptions)} corruptions", "severity", _points(corruptions), folded=False)
        for threat in corruptions:
            yield drawing.group(threat.name, "severity", _points((threat,)), folded=len(corruptions) > 1)


def _points(threats: Sequence[ThreatFacts]) -> dict[str, tuple[Part, ...]]:
    """Level -> what is averaged there; only levels that all of the threats have, and the clean samples at 0."""
    shared = [level for level in threats[0].levels if level != "0" and all(level in threat.levels for threat in threats)]
    return {"0": (Part("clean", "0"),), **{level: tuple(Part(threat.name, level) for threat in threats) for level in shared}}


class _Drawing:
    """Draws the groups of one benchmark."""

    def __init__(self, folder: RunFolder, benchmark: BenchmarkFacts, entries: Sequence[Entry], looks: dict[str, Style]) -> None:
        self.folder, self.benchmark, self.entries, self.looks = folder, benchmark, entries, looks
        self._clean: list[Figure] | None = None

    def group(self, name: str, unit: str, points: dict[str, tuple[Part, ...]], *, folded: bool) -> LevelGroup:
        """The panels and table of one threat."""
        columns = [self._figures(level, parts) for level, parts in points.items()]
        rows = tuple((entry, tuple(column[place] for column in columns)) for place, entry in enumerate(self.entries))
        levels = tuple(points)
        panels = tuple(
            self._panel(name, unit, model, levels, [row for row in rows if row[0].model == model]) for model in self.folder.manifest.models
        )
        return LevelGroup(name, self.benchmark.name, unit, levels, panels, rows, folded)

    def _figures(self, level: str, parts: tuple[Part, ...]) -> list[Figure]:
        if level == "0" and self._clean is not None:
            return self._clean
        column = Column(level, level, self.benchmark.name, "level", "mean", parts)
        found = figures(self.folder, column, [(entry.model, entry.recipe) for entry in self.entries])
        if level == "0":
            self._clean = found
        return found

    def _panel(self, name: str, unit: str, model: str, levels: tuple[str, ...], rows: Sequence[tuple[Entry, tuple[Figure, ...]]]) -> Panel:
        values = [float(parse_fraction(level)) for level in levels]
        x = Scale(0, max(values) or 1, LEFT + 4, WIDTH - RIGHT)
        y = Scale(0, 1, HEIGHT - BOTTOM, TOP)
        places = [x(value) for value in values]
        lines, ends, failed = [], [], []
        for entry, row in rows:
            known: list[Estimate] = [figure.estimate for figure in row if figure.estimate is not None]
            if len(known) < len(row):
                failed.append(entry.recipe)
                continue
            titles = [f"{entry.recipe} at {level}" for level in levels]
            line = curve(places, known, y, self.looks[entry.name], titles)
            lines.append(line)
            ends.append((entry.recipe, y(known[-1].value), line.style))
        return Panel(
            title=model,
            description=_description(name, unit, model, rows),
            width=WIDTH,
            height=HEIGHT,
            frame=(LEFT, TOP, WIDTH - RIGHT + 4, HEIGHT - BOTTOM),
            x_ticks=_level_ticks(places, levels),
            y_ticks=percent_ticks(y, (0, 0.25, 0.5, 0.75, 1)),
            x_label=unit,
            y_label="accuracy, %",
            # The best is drawn last, on top.
            lines=tuple(reversed(lines)),
            labels=end_labels(ends, WIDTH - RIGHT + 10, TOP + 4, HEIGHT - BOTTOM),
            failed=tuple(failed),
        )


def _level_ticks(places: Sequence[float], levels: Sequence[str]) -> tuple[Tick, ...]:
    """Ticks at the levels, the last one always; one that would touch its right neighbour is left out."""
    ticks: list[Tick] = []
    for place, level in sorted(zip(places, levels, strict=True), reverse=True):
        if not ticks or ticks[-1].at - place > 3.2 * (len(level) + len(ticks[-1].text)) + 4:
            ticks.append(Tick(place, level))
    return tuple(reversed(ticks))


def _description(name: str, unit: str, model: str, rows: Sequence[tuple[Entry, tuple[Figure, ...]]]) -> str:
    ends = [
        f"{entry.recipe} {100 * row[-1].estimate.value:.0f} %" for entry, row in rows if row[-1].estimate is not None and row[0].estimate is not None
    ]
    return f"{model}: accuracy against {unit} of {name}. At the largest: {', '.join(ends) or 'no figure'}."
