"""Every threat at every level, one row each, with what it cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from windtunnel.reporting.columns import Column, Part
from windtunnel.reporting.figures import Figure, figures
from windtunnel.reporting.folder import RunFolder

if TYPE_CHECKING:
    from windtunnel.reporting.leaderboard import Entry


@dataclass(frozen=True)
class ThreatRow:
    """One threat at one level against one entry.

    Args:
        entry: whose figure it is.
        benchmark, threat, level: shown names and the level's text.
        figure: accuracy.
        passes: samples that went forward or backward through the victim in all levels of the threat, over all seeds.
        queries: those of them that a black-box attack asked.
    """

    entry: Entry
    benchmark: str
    threat: str
    level: str
    figure: Figure
    passes: int
    queries: int


def threat_rows(folder: RunFolder, entries: Sequence[Entry]) -> Iterator[ThreatRow]:
    """The rows of every benchmark, the clean evaluation first."""
    names = [(entry.model, entry.recipe) for entry in entries]
    for benchmark in folder.manifest.benchmarks:
        levels = [("clean", "0"), *((threat.name, level) for threat in benchmark.threats for level in threat.levels if level != "0")]
        for threat, level in levels:
            found = figures(folder, Column(level, level, benchmark.name, "level", "mean", (Part(threat, level),)), names)
            for entry, figure in zip(entries, found, strict=True):
                passes, queries = _spent(folder, benchmark.name, threat, entry)
                yield ThreatRow(entry, benchmark.name, threat, level, figure, passes, queries)


def _spent(folder: RunFolder, benchmark: str, threat: str, entry: Entry) -> tuple[int, int]:
    records = [folder.cell(entry.model, entry.recipe, seed, benchmark, threat) for seed in folder.manifest.seeds]
    costs = [record.cost for record in records if record is not None and record.status == "done"]
    return (
        sum(int(cost.get("forward", 0)) + int(cost.get("backward", 0)) for cost in costs),
        sum(int(cost.get("queries", 0)) for cost in costs),
    )
