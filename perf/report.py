"""The page that a run of the measurements leaves, docs/performance.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from windtunnel.provenance import collect

HEAD = """\
# Speed and memory

This page is written by `make perf`; change `perf/`, not the page. Everything is measured on one machine, side by side with what it is compared to
and interleaved (A B, B A, ...). A figure is the median, or the quotient of two medians; in brackets stand the smallest and the largest. Nothing
here is a test: a figure that misses its target says so, and is a matter for an issue.
"""


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Args:
        name: what was measured.
        target: what it should be.
        measured: what it is, with its spread.
        met: whether it is; None where there is no target.
    """

    name: str
    target: str
    measured: str
    met: bool | None

    @property
    def verdict(self) -> str:
        """The last column."""
        return {True: "yes", False: "**no**", None: ""}[self.met]


@dataclass(frozen=True)
class Section:
    """The figures of one measurement, and what exactly was compared.

    Args:
        name: of the measurement, as in `python -m perf NAME`.
        figures: rows of the table.
        text: Markdown.
    """

    name: str
    figures: tuple[Figure, ...]
    text: str


def page(sections: Sequence[Section], machine: str) -> str:
    """The whole page as Markdown.

    Args:
        sections: one per measurement.
        machine: a list of facts, see `machine`.
    """
    rows = [f"| {each.name} | {each.target} | {each.measured} | {each.verdict} |" for section in sections for each in section.figures]
    missed = [each.name for section in sections for each in section.figures if each.met is False]
    verdict = f"Missed: {'; '.join(missed)}." if missed else "Every target is met."
    table = "\n".join(["| figure | target | measured | met? |", "|---|---|---|---|", *rows])
    texts = "\n".join(f"## {section.name}\n\n{section.text}" for section in sections)
    return f"{HEAD}\n{machine}\n\n{table}\n\n{verdict}\n\n{texts}"


def machine(date: str, busy: float) -> str:
    """Where and when the figures were measured, as a Markdown list.

    Args:
        date: of the measurement.
        busy: load average before it began; above 0.5 or so, others were using the machine.
    """
    found = collect(Path(__file__).parent)
    facts = {
        "date": date,
        "processor": found.processor,
        "memory": _memory(),
        "system": f"{_system()}, {found.platform}",
        "Python": found.python,
        "torch": found.libraries.get("torch", "not installed"),
        "load average before the run": f"{busy:.1f}",
    }
    return "\n".join(f"- {name}: {value}" for name, value in facts.items())


def load_average() -> float:
    """Processes that wanted a core, over the last minute."""
    return os.getloadavg()[0]


def _memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return f"{platform.system()} {platform.release()}"
