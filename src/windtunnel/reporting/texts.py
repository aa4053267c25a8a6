"""Texts: how numbers and names are written, the same in every output."""

from __future__ import annotations

import re
from collections.abc import Sequence

from windtunnel.core.estimate import Estimate

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+!|~$@&])")


def percent(value: float, digits: int = 1) -> str:
    """A share as percent, without the sign: 0.625 is "62.5"."""
    text = f"{100 * value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def interval(estimate: Estimate) -> str:
    """The ends of an interval in percent: "58.1 to 66.7"."""
    return f"{percent(estimate.low)} to {percent(estimate.high)}"


def points(value: float) -> str:
    """A difference in percentage points, signed: "+3.0 pp"."""
    text = f"{100 * value:+.1f}"
    return f"{'0.0' if float(text) == 0 else text} pp"


def probability(value: float) -> str:
    """A p-value: "0.031", "< 0.001"."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def count(number: int, noun: str) -> str:
    """A number with its noun: "1 cell", "3 cells", "2 entries"."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun.removesuffix('y') + 'ies' if noun.endswith('y') else noun + 's'}"


def amount(value: float) -> str:
    """A mean or median of counts: "3", "2.5", "24", "1,204"."""
    if value >= 10:
        return f"{value:,.0f}"
    return f"{value:.1f}".removesuffix(".0")


def listed(names: Sequence[str], limit: int = 4) -> str:
    """Names in a sentence: "a", "a and b", "a, b and 3 others"."""
    shown = list(names)
    if len(shown) > limit:
        shown = [*shown[: limit - 1], f"{len(shown) - limit + 1} others"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def one_line(text: str) -> str:
    """A name without control characters and marks that turn the direction of what follows."""
    return _CONTROL.sub(" ", text)


def brief(models: Sequence[str]) -> dict[str, str]:
    """Models by the last part of their names where that tells them apart, else by all of it."""
    names = list(dict.fromkeys(models))
    last = [name.rsplit("/", 1)[-1] for name in names]
    return dict(zip(names, last if len(set(last)) == len(names) else names, strict=True))


def markdown(text: str) -> str:
    """A name that shows as itself in Markdown."""
    return _MARKDOWN.sub(r"\\\1", one_line(text))


def rounded(value: float) -> float:
    """A number for a file: far finer than any interval, coarser than what another processor's rounding may move."""
    return round(value, 6)
