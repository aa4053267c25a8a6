"""Charts: what is drawn where, ready for the templates; plain SVG needs no script and takes the page's colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from windtunnel.core.estimate import Estimate
from windtunnel.reporting.scales import Scale, Tick, spread
from windtunnel.reporting.texts import interval, one_line, percent

# Units of the drawing, which are pixels on a phone; text is 11 units high.
WIDTH, HEIGHT = 360, 264
LEFT, RIGHT, TOP, BOTTOM = 36, 98, 24, 38

LETTER = 5.9
"""Mean width of a letter of the page's font at 11 units."""


@dataclass(frozen=True)
class Style:
    """How an entry looks in every chart and table: its recipe is its colour, its model its shape.

    Args:
        colour: index into the page's palette.
        dash: index of the dash pattern, for more recipes than colours.
        shape: index of the marker's shape.
    """

    colour: int
    dash: int
    shape: int


COLOURS, DASHES, SHAPES = 8, 3, 5


def style(recipe: int, model: int) -> Style:
    """The look of the entry at these places of the suite."""
    return Style(recipe % COLOURS, recipe // COLOURS % DASHES, model % SHAPES)


@dataclass(frozen=True)
class Mark:
    """A point with its tooltip."""

    x: float
    y: float
    style: Style
    title: str


@dataclass(frozen=True)
class Label:
    """A short text in the drawing."""

    x: float
    y: float
    text: str
    style: Style | None = None
    anchor: str = "start"


@dataclass(frozen=True)
class Line:
    """A curve: the path of its middle, and of the band around it."""

    path: str
    band: str
    style: Style
    marks: tuple[Mark, ...] = ()
    faint: bool = False
    dashed: bool = False


@dataclass(frozen=True)
class Rule:
    """A straight auxiliary line."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True)
class Panel:
    """One drawing.

    Args:
        title: above it.
        description: what a reader who cannot see it should know.
        frame: (left, top, right, bottom) of the area between the axes.
        x_ticks, y_ticks: labelled places.
        x_label, y_label: what the axes show.
        lines, marks, labels, rules: what is in it.
        failed: names of entries that are missing because a cell failed.
        subtitle: a second, quieter line of the title.
    """

    title: str
    description: str
    width: float
    height: float
    frame: tuple[float, float, float, float]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    x_label: str = ""
    y_label: str = ""
    lines: tuple[Line, ...] = ()
    marks: tuple[Mark, ...] = ()
    labels: tuple[Label, ...] = ()
    rules: tuple[Rule, ...] = ()
    failed: tuple[str, ...] = ()
    subtitle: str = ""


def path(points: Sequence[tuple[float, float]]) -> str:
    """An SVG path through `points`."""
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points) if points else ""


def curve(places: Sequence[float], estimates: Sequence[Estimate], y: Scale, look: Style, names: Sequence[str]) -> Line:
    """A curve through estimates with the band of their intervals."""
    middle = [(x, y(estimate.value)) for x, estimate in zip(places, estimates, strict=True)]
    upper = [(x, y(estimate.high)) for x, estimate in zip(places, estimates, strict=True)]
    lower = [(x, y(estimate.low)) for x, estimate in zip(places, estimates, strict=True)]
    marks = tuple(
        Mark(x, height, look, f"{name}: {percent(estimate.value)} % ({interval(estimate)})")
        for (x, height), estimate, name in zip(middle, estimates, names, strict=True)
    )
    return Line(path(middle), path(upper + lower[::-1]) + "Z", look, marks)


def end_labels(ends: Sequence[tuple[str, float, Style]], x: float, top: float, bottom: float) -> tuple[Label, ...]:
    """Names beside the ends of curves, moved apart where they would overlap."""
    places = spread([height for _, height, _ in ends], 13, top, bottom)
    room = int((WIDTH - x) / LETTER)
    return tuple(Label(x, place + 3.5, short(name, room), look) for (name, _, look), place in zip(ends, places, strict=True))


def percent_ticks(scale: Scale, values: Sequence[float]) -> tuple[Tick, ...]:
    """Ticks of an axis of accuracies."""
    fine = any(abs(100 * value - round(100 * value)) > 1e-6 for value in values)
    return tuple(Tick(scale(value), percent(value, 1 if fine else 0)) for value in values)


def short(name: str, letters: int) -> str:
    """A name that fits, its end cut off if need be; the whole of it is in the tooltip and the legend."""
    clean = one_line(name)
    return clean if len(clean) <= letters else f"{clean[: max(1, letters - 1)].rstrip()}…"
