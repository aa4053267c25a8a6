"""Benchmarks: benchmarks/*.yaml to `core.suite.Benchmark`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final

from windtunnel.catalog import Catalog
from windtunnel.core.modality import IMAGE, TEXT
from windtunnel.core.suite import Benchmark
from windtunnel.errors import Problem, SpecError, suggest
from windtunnel.specs.fields import Fields, describe
from windtunnel.specs.headline import read_headline
from windtunnel.specs.nodes import read
from windtunnel.specs.references import attempt, split
from windtunnel.specs.tables import BUILTIN, Tables
from windtunnel.specs.threats import read_threats

DEFAULT_TASK = "image-classification"
TASKS: Final[Mapping[str, str]] = MappingProxyType({DEFAULT_TASK: IMAGE, "text-classification": TEXT})
"""Tasks, each with the modality of its inputs."""

KEYS = ("benchmark", "version", "task", "data", "samples", "seed", "threats", "metrics", "headline")
DEFAULT_METRICS = ("accuracy",)


def load_benchmark(name: str | Path, catalog: Catalog, tables: Tables = BUILTIN) -> Benchmark:
    """The benchmark of a catalogue's name or of a .yaml file.

    Raises:
        CatalogError: there is no such file.
        SpecError: everything wrong in it.
    """
    problems: list[Problem] = []
    path = catalog.find("benchmarks", name)
    found = read_benchmark(path, catalog.show(path), problems, tables)
    if found is None:
        raise SpecError(problems)
    return found


def read_benchmark(path: Path, shown: str, problems: list[Problem], tables: Tables) -> Benchmark | None:
    """The benchmark in a file, or None after its problems were added to `problems`."""
    before = len(problems)
    document, root = read(path, shown, problems)
    if root is None:
        return None
    fields = Fields(document, root, "A benchmark", KEYS)
    name = fields.file_name("benchmark")
    version = fields.integer("version", low=1, required=True)
    task = fields.choice("task", tuple(TASKS), DEFAULT_TASK)
    modality = TASKS[task]
    data = fields.node_of("data")
    part = split(document, data, tables, own=True) if data else None
    if data and part and part.source is not None and part.source.modality != modality:
        document.report(data.place, f"{part.source.title} holds {part.source.modality}s, but the benchmark's task has {modality} inputs.")
    threats = read_threats(document, fields.items("threats", "threats", empty=True), tables, modality)
    samples, seed = fields.integer("samples", low=1), fields.integer("seed", low=0, default=0)
    metrics = _metrics(fields, tables)
    sentence = fields.node_of("headline")
    headline = read_headline(document, sentence, threats.named, complete=threats.complete) if sentence else None
    if len(problems) > before or not (name and version and part and headline) or seed is None:
        return None
    return Benchmark(
        name=name,
        version=version,
        data=part.ref,
        split=part.split,
        samples=samples,
        seed=seed,
        threats=threats.named,
        metrics=metrics,
        headline=headline,
        modality=modality,
    )


def _metrics(fields: Fields, tables: Tables) -> tuple[str, ...]:
    if "metrics" not in fields:
        return DEFAULT_METRICS
    names: list[str] = []
    for node in fields.items("metrics", "metrics"):
        name = node.value
        if not isinstance(name, str):
            fields.document.report(node.place, f"A metric is a name; found {describe(node)}. {suggest('', tables.metrics)}")
        elif name in names:
            fields.document.report(node.place, f"The metric {name!r} is listed twice.")
        elif attempt(fields.document, node.place, partial(tables.metrics.load, name)):
            names.append(name)
    return tuple(names)
