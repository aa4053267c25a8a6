"""`python -m perf [names] [--output FILE]`: measure, print the page, and write it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from perf.report import Section, load_average, machine, page

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"


def _commands() -> Section:
    from perf.commands import measure

    return measure()


def _corruptions() -> Section:
    from perf.corruptions import measure

    return measure()


def _perturbations() -> Section:
    from perf.perturbations import measure

    return measure()


def _augmentations() -> Section:
    from perf.augmentations import measure

    return measure()


def _attacks() -> Section:
    from perf.attacks import measure

    return measure()


def _textattack() -> Section:
    from perf.textattack import measure

    return measure()


def _finetuning() -> Section:
    from perf.finetuning import measure

    return measure()


def _recipes() -> Section:
    from perf.recipes import measure

    return measure()


def _streaming() -> Section:
    from perf.streaming import measure

    return measure()


def _linear_probe() -> Section:
    from perf.probe import measure

    return measure()


def _overhead() -> Section:
    from perf.overhead import measure

    return measure()


def _quickstart() -> Section:
    from perf.quickstart import measure

    return measure()


# Torch is loaded only by those that need it, so that it takes no memory from the processes that the others watch.
MEASUREMENTS: Mapping[str, Callable[[], Section]] = MappingProxyType(
    {
        "commands": _commands,
        "quickstart": _quickstart,
        "linear_probe": _linear_probe,
        "overhead": _overhead,
        "attacks": _attacks,
        "textattack": _textattack,
        "corruptions": _corruptions,
        "perturbations": _perturbations,
        "augmentations": _augmentations,
        "finetuning": _finetuning,
        "recipes": _recipes,
        "streaming": _streaming,
    }
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for; exits 0 whatever the figures are."""
    parser = argparse.ArgumentParser(prog="python -m perf", description="Measure speed and memory side by side with what a user would use instead.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"one or several of {', '.join(MEASUREMENTS)} (default: all)")
    parser.add_argument("--output", type=Path, help="the page to write (default: docs/performance.md if everything is measured, else none)")
    parser.add_argument("--date", default=f"{datetime.now(UTC):%Y-%m-%d}", help="date of the measurement (default: today)")
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.names) - set(MEASUREMENTS))
    if unknown:
        parser.error(f"there is no measurement {unknown[0]!r}; choose from {', '.join(MEASUREMENTS)}")
    where = machine(given.date, load_average())
    sections = []
    for name in given.names or MEASUREMENTS:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        sections.append(MEASUREMENTS[name]())
    text = page(sections, where)
    target = given.output or (None if given.names else PAGE)
    print(text)
    if target is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
