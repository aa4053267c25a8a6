"""Rivals: attacks of one victim that show each other up. An attack with the victim's own gradients should not be beaten by one without."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from windtunnel.builtins import THREATS
from windtunnel.core.flag import Flag
from windtunnel.core.suspicion import NOTABLE
from windtunnel.errors import WindtunnelError

if TYPE_CHECKING:
    from windtunnel.reporting.folder import RunFolder
    from windtunnel.reporting.manifest import BenchmarkFacts, ThreatFacts

LEAST = 3


def rivals(folder: RunFolder) -> Mapping[str, tuple[Flag, ...]]:
    """Key of an evaluation -> the flags that another evaluation of the same victim raises against it.

    Source:
        Athalye et al. 2018, arXiv 1802.00420, section 3.1; Carlini et al. 2019, arXiv 1902.06705, section 3.1: signs of masked gradients.
    """
    found: dict[str, dict[str, Flag]] = {}
    manifest = folder.manifest
    for benchmark in manifest.benchmarks:
        for white, other in _couples(benchmark):
            for model in manifest.models:
                for recipe in manifest.recipes:
                    for seed in manifest.seeds:
                        found_here = _shown_up(folder, benchmark, white, other, (model, recipe, seed))
                        if found_here is not None:
                            key, flag = found_here
                            found.setdefault(key, {})[flag.name] = flag
    return {key: tuple(flags.values()) for key, flags in found.items()}


def _couples(benchmark: BenchmarkFacts) -> Iterator[tuple[ThreatFacts, ThreatFacts]]:
    """Attacks with the victim's gradients, each with an attack without them in the same norm."""
    attacks = [(threat, kind) for threat in benchmark.family("attack") if (kind := _kind(threat))]
    for white, kind in attacks:
        if kind == "white-box":
            yield from ((white, other) for other, rival in attacks if rival != "white-box" and other.norm == white.norm)


def _kind(threat: ThreatFacts) -> str:
    """What an attack looks at: "white-box", "black-box" or "transfer"; empty for what is not known here."""
    if (threat.arguments or {}).get("surrogate"):
        return "transfer"
    try:
        return "black-box" if threat.use in THREATS and THREATS.load(threat.use).black_box else "white-box" if threat.use in THREATS else ""
    except WindtunnelError:
        return ""


def _shown_up(
    folder: RunFolder, benchmark: BenchmarkFacts, white: ThreatFacts, other: ThreatFacts, victim: tuple[str, str, int]
) -> tuple[str, Flag] | None:
    records = [folder.cell(*victim, benchmark.name, threat.name) for threat in (white, other)]
    if any(record is None or record.status != "done" for record in records):
        return None
    own, rival = (record for record in records if record is not None)
    for level in reversed([level for level in white.levels if level in other.levels and level != "0"]):
        slices = [folder.outcomes.slice(record.key, level) for record in (own, rival)]
        first, second = slices
        if first is None or second is None or len(first.samples) != len(second.samples) or (first.samples != second.samples).any():
            continue
        gained = int((first.correct & ~second.correct).sum()) - int((~first.correct & second.correct).sum())
        if gained >= max(LEAST, NOTABLE * len(first.samples)):
            return own.key, _flag(_kind(other), white.name, other.name, level, gained)
    return None


def _flag(kind: str, white: str, other: str, level: str, gained: int) -> Flag:
    said = f"At {level}, {other} breaks {gained} samples more than {white}, which has the victim's own gradients: these lead nowhere."
    if kind == "transfer":
        return Flag("transfer-beats-white-box", said)
    return Flag("black-box-beats-white-box", said)
