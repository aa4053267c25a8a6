"""Column: what a figure of the leaderboard is made of, read off the benchmarks of a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from windtunnel.reporting.manifest import BenchmarkFacts, Manifest, ThreatFacts

FAMILIES = ("attack", "corruption", "shift")

TITLES = MappingProxyType({"clean": "Clean", "attack": "Attacks, worst case", "corruption": "Corruptions, mean", "shift": "Shift"})


@dataclass(frozen=True)
class Part:
    """One threat at one level."""

    threat: str
    level: str

    def __str__(self) -> str:
        return f"{self.threat} at {self.level}"


@dataclass(frozen=True)
class Column:
    """What a figure is made of.

    Args:
        name: short and stable: "clean", "attack", "headline", ...; with ":benchmark" where several have it.
        title: shown above the column.
        benchmark: whose cells it is made of.
        family: "headline", "clean", "attack", "corruption" or "shift".
        how: whether a sample must stand under every part, or its results are averaged.
        parts: threats and levels.
        headline: whether it is what its benchmark is ranked by.
    """

    name: str
    title: str
    benchmark: str
    family: str
    how: Literal["worst-case", "mean"]
    parts: tuple[Part, ...]
    headline: bool = False

    @property
    def explanation(self) -> str:
        """One sentence on what the figure says."""
        if self.family == "clean":
            return f"Accuracy on the unchanged samples of {self.benchmark}."
        parts = [str(part) for part in self.parts]
        listed = ", ".join(parts) if len(parts) <= 6 else f"{len(parts)} pairs of threat and level, {parts[0]} to {parts[-1]}"
        if len(self.parts) == 1:
            return f"Accuracy under {listed} ({self.benchmark})."
        if self.how == "worst-case":
            return f"Share of samples classified rightly under every one of: {listed} ({self.benchmark})."
        return f"Accuracy averaged over: {listed} ({self.benchmark})."


def columns(manifest: Manifest) -> tuple[Column, ...]:
    """The columns of a run: the first headline, clean accuracy, then each family, then further headlines."""
    found: list[Column] = []
    for benchmark in manifest.benchmarks:
        family = [*_clean(benchmark, manifest), *_families(benchmark)]
        headline = _headline(benchmark)
        twin = next((place for place, column in enumerate(family) if _alike(column, headline)), None)
        if twin is None:
            family.append(headline)
        else:
            family[twin] = replace(family[twin], headline=True, title=benchmark.headline.text)
        found += family
    first = next(column for column in found if column.headline)
    return tuple(_distinct([first, *(column for column in found if column is not first)]))


def _clean(benchmark: BenchmarkFacts, manifest: Manifest) -> Iterator[Column]:
    """Clean accuracy, once for each kind of data: it says the same under every benchmark."""
    earlier = manifest.benchmarks[: manifest.benchmarks.index(benchmark)]
    if all(other.data != benchmark.data for other in earlier):
        yield Column("clean", TITLES["clean"], benchmark.name, "clean", "mean", (Part("clean", "0"),))


def _families(benchmark: BenchmarkFacts) -> Iterator[Column]:
    attacks, corruptions, shifts = (benchmark.family(family) for family in FAMILIES)
    if attacks:
        parts = tuple(Part(threat.name, _level(threat, benchmark.headline.level)) for threat in attacks)
        yield Column("attack", TITLES["attack"], benchmark.name, "attack", "worst-case", parts)
    if corruptions:
        yield Column("corruption", TITLES["corruption"], benchmark.name, "corruption", "mean", _all_levels(corruptions))
    # Sequences of frames are measured by their flips; a column of accuracy for each would hide everything else.
    for threat in shifts if len(shifts) > 1 else ():
        if len(threat.levels) == 1:
            yield Column(f"shift-{threat.name}", threat.name, benchmark.name, "shift", "mean", _all_levels((threat,)))
    if shifts:
        title = TITLES["shift"] if len(shifts) == 1 else "Shift, mean"
        yield Column("shift", title, benchmark.name, "shift", "mean", _all_levels(shifts))


def _headline(benchmark: BenchmarkFacts) -> Column:
    wanted = benchmark.headline
    chosen = [threat for threat in benchmark.threats if wanted.threat in (None, threat.name, threat.family)]
    if wanted.how == "mean" and wanted.level is None:
        parts = _all_levels(tuple(chosen))
    elif wanted.level is None:
        parts = tuple(Part(threat.name, threat.levels[-1]) for threat in chosen)
    else:
        parts = tuple(Part(threat.name, wanted.level) for threat in chosen if wanted.level in threat.levels)
    return Column("headline", wanted.text, benchmark.name, "headline", wanted.how, parts, headline=True)


def _level(threat: ThreatFacts, wanted: str | None) -> str:
    return wanted if wanted in threat.levels and wanted is not None else threat.levels[-1]


def _all_levels(threats: tuple[ThreatFacts, ...]) -> tuple[Part, ...]:
    """Every threat at every level but zero, which is the clean evaluation once more."""
    return tuple(Part(threat.name, level) for threat in threats for level in threat.levels if level != "0" or len(threat.levels) == 1)


def _alike(left: Column, right: Column) -> bool:
    same_rule = left.how == right.how or len(left.parts) == 1
    return same_rule and set(left.parts) == set(right.parts)


def _distinct(found: list[Column]) -> Iterator[Column]:
    names = [column.name for column in found]
    for column in found:
        if names.count(column.name) == 1:
            yield column
            continue
        title = column.title if column.headline else f"{column.title} ({column.benchmark})"
        yield replace(column, name=f"{column.name}:{column.benchmark}", title=title)
