"""Manifest: what a run was meant to do and what computed it, as typed facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from windtunnel.errors import RecordError

SCHEMA = 1
"""Version of the manifest's shape; readers refuse others."""


@dataclass(frozen=True)
class ThreatFacts:
    """One threat of a benchmark.

    Args:
        name, use: shown name, and name in the table of threats.
        family: "attack", "corruption" or "shift".
        levels: texts of its radii or severities, ascending.
        norm: of an attack; None for others.
        arguments: everything it was called with.
        grouped: whether it puts samples into groups.
    """

    name: str
    use: str
    family: str
    levels: tuple[str, ...]
    norm: str | None = None
    arguments: Mapping[str, Any] | None = None
    grouped: bool = False


@dataclass(frozen=True)
class HeadlineFacts:
    """What a benchmark is ranked by; see `core.suite.Headline`."""

    how: Literal["worst-case", "mean"]
    threat: str | None
    level: str | None
    text: str


@dataclass(frozen=True)
class BenchmarkFacts:
    """One benchmark as it was run; see `core.suite.Benchmark`."""

    name: str
    version: int
    data: str
    samples: int
    seed: int
    metrics: tuple[str, ...]
    headline: HeadlineFacts
    threats: tuple[ThreatFacts, ...]

    def family(self, name: str) -> tuple[ThreatFacts, ...]:
        """Its threats of one family."""
        return tuple(threat for threat in self.threats if threat.family == name)


@dataclass(frozen=True)
class ConditionFacts:
    """One training condition of a suite.

    Args:
        name: shown name; "clean" is the data as it is.
        use: name in the table of conditions; empty for "clean".
        arguments: everything it was called with.
        entries: recipe -> the entry of that recipe under the condition, as `Manifest.recipes` has it.
    """

    name: str
    use: str
    arguments: Mapping[str, Any]
    entries: Mapping[str, str]


@dataclass(frozen=True)
class DataFacts:
    """The data that was fine-tuned on.

    Args:
        name: shown name.
        fingerprint: sha256 over every image, label, id and class name.
        classes: class names.
        sizes: split -> number of samples.
        audit: what was found and removed; see `core.dataset.Audit`.
    """

    name: str
    fingerprint: str
    classes: tuple[str, ...]
    sizes: Mapping[str, int]
    audit: Mapping[str, Any]


@dataclass(frozen=True)
class Manifest:
    """What a run was meant to do and what computed it.

    Args:
        suite: its name.
        created: when the folder was written, ISO 8601.
        provenance: versions, machine and revision; see `provenance.Provenance`.
        source: the suite's file as plain data; of `windtunnel evaluate`, {"evaluate": its options}.
        models, recipes, seeds: what was crossed, in the suite's order.
        selection: which data chose the checkpoints.
        data: what was fine-tuned on.
        benchmarks: what every victim was put through.
        body: the whole manifest, as read.
        conditions: how the training data was bad; none where all was trained on the data as it is.
    """

    suite: str
    created: str
    provenance: Mapping[str, Any]
    source: Mapping[str, Any]
    models: tuple[str, ...]
    recipes: tuple[str, ...]
    seeds: tuple[int, ...]
    selection: str
    data: DataFacts
    benchmarks: tuple[BenchmarkFacts, ...]
    body: Mapping[str, Any]
    conditions: tuple[ConditionFacts, ...] = ()

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Manifest:
        """A manifest from its plain data.

        Raises:
            RecordError: another schema, or fields missing.
        """
        if body.get("schema") != SCHEMA:
            raise RecordError(f"it has schema {body.get('schema')!r}; this version of windtunnel reads schema {SCHEMA}")
        try:
            return cls(
                suite=str(body["suite"]),
                created=str(body["created"]),
                provenance=body["provenance"],
                source=body["source"],
                models=tuple(body["models"]),
                recipes=tuple(body["recipes"]),
                seeds=tuple(body["seeds"]),
                selection=str(body["selection"]),
                data=_data(body["data"]),
                benchmarks=tuple(_benchmark(item) for item in body["benchmarks"]),
                body=body,
                conditions=tuple(_condition(item) for item in body.get("conditions", ())),
            )
        except KeyError as error:
            raise RecordError(f"the field {error} is missing") from error
        except (TypeError, AttributeError) as error:
            raise RecordError(f"a field has another type than expected ({error})") from error

    @property
    def methods(self) -> Mapping[str, str]:
        """The recipe that each entry of `recipes` is of, whatever the condition."""
        origins = {entry: recipe for condition in self.conditions for recipe, entry in condition.entries.items()}
        return {entry: origins.get(entry, entry) for entry in self.recipes}

    def benchmark(self, name: str) -> BenchmarkFacts | None:
        """The benchmark of that name, if there is one."""
        return next((item for item in self.benchmarks if item.name == name), None)


def _data(body: Mapping[str, Any]) -> DataFacts:
    return DataFacts(str(body["name"]), str(body["fingerprint"]), tuple(body["classes"]), body["sizes"], body["audit"])


def _condition(body: Mapping[str, Any]) -> ConditionFacts:
    described = body["condition"] or {"use": "", "arguments": {}}
    return ConditionFacts(str(body["name"]), str(described["use"]), described["arguments"], body["entries"])


def _benchmark(body: Mapping[str, Any]) -> BenchmarkFacts:
    headline = body["headline"]
    return BenchmarkFacts(
        name=str(body["name"]),
        version=int(body["version"]),
        data=str(body["data"]),
        samples=int(body["samples"]),
        seed=int(body["seed"]),
        metrics=tuple(body["metrics"]),
        headline=HeadlineFacts(headline["how"], headline["threat"], headline["level"], str(headline["text"])),
        # The clean evaluation is a column of its own, whether or not the manifest lists it.
        threats=tuple(_threat(item) for item in body["threats"] if item["family"] != "clean"),
    )


def _threat(body: Mapping[str, Any]) -> ThreatFacts:
    levels = tuple(str(level) for level in body["levels"])
    named = {name: str(body[name]) for name in ("name", "use", "family")}
    return ThreatFacts(**named, levels=levels, norm=body["norm"], arguments=body.get("arguments"), grouped=bool(body.get("grouped")))
