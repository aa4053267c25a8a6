"""Run: carry out a suite and leave a run's folder; what the store holds is never computed again."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from windtunnel.core import canonical
from windtunnel.core.canonical import fraction_text
from windtunnel.core.record import Record, sort_key
from windtunnel.core.runner import Runner
from windtunnel.core.suite import Benchmark, Suite
from windtunnel.errors import DataError, ResourceError, StoreError
from windtunnel.execution import recording
from windtunnel.execution.effort import note_speeds
from windtunnel.execution.facts import Facts
from windtunnel.execution.local import Failure, LocalEngine
from windtunnel.execution.plan import Plan, plan, sources
from windtunnel.execution.progress import Progress, Silent
from windtunnel.execution.store import Store, sync_folder, write_synced
from windtunnel.provenance import collect

RECORDS, OUTCOMES, MANIFEST = "records.jsonl", "outcomes.parquet", "manifest.json"


@dataclass(frozen=True)
class Done:
    """How a run went.

    Args:
        folder: the run's folder.
        computed: cells computed now.
        held: cells that the store already held.
        failed: cells that failed.
        seconds: wall-clock time.
    """

    folder: Path
    computed: int
    held: int
    failed: int
    seconds: float


def run(suite: Suite, *, store: Store, runs: Path, runner: Runner | None = None, progress: Progress | None = None) -> Done:
    """Compute every cell of `suite` that the store lacks and write a run's folder under `runs/<suite>/`.

    Raises:
        DataError, ModelError: data or weights cannot be loaded, so no cell could be.
        StoreError: the store or the folder cannot be written; what is done is kept.
        ResourceError: a threat reads something that is not installed; nothing was computed.
    """
    started = time.monotonic()
    runner, progress = runner or Runner(), progress or Silent()
    require(suite)
    with LocalEngine(runner, store.root, suite.threads) as engine:
        planned = prepare(suite, store, engine, progress)
        # Reading checks digests, so that a damaged entry is found here and computed anew.
        # Benchmarks that share their samples share the clean evaluation: one cell under two labels.
        todo = list({item.cell.key: item for item in planned.work if store.read(item.cell.key) is None}.values())
        for key in store.damaged:
            progress.note(f"The stored entry {key[:12]} was damaged; it is set aside and computed anew.")
        progress.planned([item.cell for item in todo], len(planned.work) - len(todo))
        failures = engine.run(todo, progress) if todo else {}
    if todo:
        note_speeds([item.cell for item in todo], store)
    by_key = {todo[position].cell.key: failure for position, failure in failures.items()}
    seconds = time.monotonic() - started
    folder = write_folder(planned, store, runs, by_key, seconds)
    return Done(folder, len(todo) - len(by_key), len(planned.work) - len(todo), len(by_key), seconds)


def require(suite: Suite) -> None:
    """Refuse to start without what the suite's threats and recipes read from disk.

    Raises:
        ResourceError: everything that is missing, with its remedy.
    """
    if found := lacking(suite):
        raise ResourceError("\n".join([*found, "`windtunnel fetch SUITE` gets those for which no package has to be installed."]))


def lacking(suite: Suite) -> list[str]:
    """What the threats and recipes of a suite need and this machine lacks: each resource with its remedy, once."""
    recipes = [line for each in suite.trainings.values() for line in each.how.missing()]
    return list(dict.fromkeys([*missing(suite.benchmarks), *recipes]))


def missing(benchmarks: Iterable[Benchmark]) -> list[str]:
    """What threats need and this machine lacks: each resource with its remedy, once."""
    return list(dict.fromkeys(line for benchmark in benchmarks for threat in benchmark.threats.values() for line in threat.missing()))


def prepare(suite: Suite, store: Store, engine: LocalEngine, progress: Progress) -> Plan:
    """A plan with every key, loading once what was never loaded as it is now."""
    facts = Facts(store)
    unknown = [source for source in sources(suite) if _known(facts, source) is None]
    if unknown:
        progress.note(f"Looking at {len(unknown)} data sets and models for the first time.")
        failures = engine.run(unknown, progress)
        if failures:
            raise DataError("\n".join(failure.message for failure in failures.values()))
        facts.forget()
    planned = plan(suite, facts)
    assert planned.complete, "every source is known by now"
    return planned


def _known(facts: Facts, source: Any) -> object:
    from windtunnel.core.dataset import DataSource

    return facts.data(source) if isinstance(source, DataSource) else facts.model(source)


def write_folder(planned: Plan, store: Store, runs: Path, failures: Mapping[str, Failure], seconds: float) -> Path:
    """Gather records and outcomes from the store into a new folder; written to a temporary name and renamed."""
    now = datetime.now(UTC)
    parent = runs / planned.suite.name
    target = parent / now.strftime("%Y%m%dT%H%M%S.%f")[:-3]
    temporary = parent / f".{target.name}.part"
    try:
        temporary.mkdir(parents=True)
        _write_contents(temporary, planned, store, failures, seconds, now)
        temporary.rename(target)
        sync_folder(parent)
        _point_latest(parent, target.name)
    except OSError as error:
        raise StoreError(f"The run's folder {target} cannot be written: {error.strerror or error}. Every cell is kept in the store.") from error
    return target


def _write_contents(folder: Path, planned: Plan, store: Store, failures: Mapping[str, Failure], seconds: float, now: datetime) -> None:
    records: list[Record] = []
    tables: dict[str, bytes] = {}
    times: dict[str, float] = {}
    for item in planned.work:
        cell = item.cell
        entry = store.read(cell.key)
        if entry is None:
            why = failures[cell.key].message if cell.key in failures else "Its entry is missing from the store."
            records.append(recording.failed(cell, why))
            continue
        records.append(replace(Record.from_dict(json.loads(entry.bytes(recording.RECORD))), labels=cell.labels))
        times[cell.key] = entry.seconds
        if cell.kind == "evaluate":
            tables[cell.key] = entry.bytes(recording.OUTCOMES)
    lines = "".join(canonical.dumps(record.as_dict()) + "\n" for record in sorted(records, key=sort_key))
    write_synced(folder / RECORDS, lines.encode())
    write_synced(folder / OUTCOMES, recording.joined(list(tables.values())))
    manifest = {**_manifest(planned, now, folder), "wall_seconds": round(seconds, 3), "seconds": times}
    write_synced(folder / MANIFEST, (json.dumps(canonical.plain(manifest), indent=1, sort_keys=True) + "\n").encode())
    details = {key: failure.details for key, failure in failures.items() if failure.details}
    for key, text in details.items():
        write_synced(folder / f"error-{key[:12]}.txt", text.encode())


def _manifest(planned: Plan, now: datetime, folder: Path) -> dict[str, Any]:
    suite = planned.suite
    assert planned.data is not None, "a complete plan knows its data"
    return {
        "schema": 1,
        "suite": suite.name,
        "created": now.isoformat(timespec="seconds"),
        "provenance": collect(folder).as_dict(),
        "source": dict(suite.source),
        "models": list(suite.models),
        "recipes": list(suite.trainings),
        "recipe_arguments": {name: training.how.describe() for name, training in suite.trainings.items()},
        **({"conditions": _conditions(suite)} if suite.conditions else {}),
        "seeds": list(suite.seeds),
        "selection": suite.selection,
        "threads": suite.threads,
        "data": {
            "name": suite.data.title,
            "fingerprint": planned.data.fingerprint,
            "classes": list(planned.data.classes),
            "sizes": {name: len(ids) for name, ids in planned.data.ids.items()},
            "audit": dict(planned.data.audit),
        },
        "model_facts": {name: asdict(facts) for name, facts in planned.models.items()},
        "benchmarks": [_benchmark(benchmark, planned) for benchmark in suite.benchmarks],
        "cells": [{"key": cell.key, "kind": cell.kind, "labels": dict(vars(cell.labels))} for cell in planned.cells],
    }


def _conditions(suite: Suite) -> list[dict[str, Any]]:
    """Each training condition, with the entry that each recipe has under it."""
    return [
        {
            "name": name,
            "condition": None if condition is None else condition.describe(),
            "entries": {each.recipe: each.name for each in suite.trainings.values() if each.how.trains and each.condition == name},
        }
        for name, condition in suite.conditions.items()
    ]


def _benchmark(benchmark: Benchmark, planned: Plan) -> dict[str, Any]:
    headline = benchmark.headline
    samples = planned.samples[benchmark.name]
    return {
        "name": benchmark.name,
        "version": benchmark.version,
        "data": str(samples.data),
        "samples": samples.count,
        "samples_sha256": samples.sha256,
        "seed": benchmark.seed,
        "metrics": list(benchmark.metrics),
        "headline": {
            "how": headline.how,
            "threat": headline.threat,
            "level": None if headline.level is None else fraction_text(headline.level),
            "text": headline.text,
        },
        "threats": [
            {
                "name": name,
                "use": threat.use,
                "family": threat.family,
                "norm": threat.measured_norm if threat.adaptive else None,
                "levels": [fraction_text(level) for level in threat.levels],
                "arguments": threat.arguments(),
                **({"grouped": True} if threat.grouped else {}),
            }
            for name, threat in benchmark.threats.items()
        ],
    }


def _point_latest(parent: Path, name: str) -> None:
    """Let `latest` name the newest run: a link, or a text file where links are not allowed."""
    temporary = parent / ".latest.part"
    temporary.unlink(missing_ok=True)
    try:
        temporary.symlink_to(name, target_is_directory=True)
    except OSError:
        temporary.write_text(name + "\n")
    temporary.replace(parent / "latest")
