"""Commands that compute."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import typer
from rich.console import Console

from windtunnel.catalog import Catalog, default_store
from windtunnel.cli.durations import duration
from windtunnel.cli.terminal import TerminalProgress
from windtunnel.core.resource import Resource
from windtunnel.core.runner import Runner
from windtunnel.core.suite import Suite
from windtunnel.errors import MissingPackageError, ResourceError
from windtunnel.execution.local import LocalEngine
from windtunnel.execution.progress import Silent
from windtunnel.execution.run import Done, prepare
from windtunnel.execution.run import run as carry_out
from windtunnel.execution.store import Store
from windtunnel.provenance import version
from windtunnel.reporting.report import Report
from windtunnel.reporting.tables import leaderboard_table, threat_table
from windtunnel.specs import load_runner, load_suite

SOME_FAILED = 3
INTERRUPTED = 130


def run_suite(name: str, catalog: Path | None, store: Path | None, runs: Path, runner: str, workers: int | None, quiet: bool) -> int:
    """Carry out a suite, print its leaderboard and say where the report lies; 3 if a cell failed, 130 after Ctrl-C."""
    found = Catalog(catalog)
    return _carry_out(load_suite(name, found), load_runner(runner, found), store, runs, workers, quiet)


def evaluate_model(suite: Suite, catalog: Path | None, store: Path | None, runs: Path, runner: str, workers: int | None, quiet: bool) -> int:
    """Carry out a suite that no file describes, and print what every threat left; exits as `run_suite`."""
    return _carry_out(suite, load_runner(runner, Catalog(catalog)), store, runs, workers, quiet, levels=True)


def _carry_out(suite: Suite, profile: Runner, store: Path | None, runs: Path, workers: int | None, quiet: bool, *, levels: bool = False) -> int:
    _need_torch()
    if workers is not None:
        profile = dataclasses.replace(profile, workers=workers)
    console = Console()
    try:
        with Silent() if quiet else TerminalProgress(console) as progress:
            done = carry_out(suite, store=Store(store or default_store()), runs=runs, runner=profile, progress=progress)
    except KeyboardInterrupt:
        Console(stderr=True).print("Stopped. Every finished cell is kept; the same command goes on from there.", highlight=False)
        return INTERRUPTED
    report = Report(done.folder)
    report.write()
    console.print(leaderboard_table(report.leaderboard))
    if levels:
        console.print(threat_table(report))
    _say_how_it_went(console, done, runs, suite)
    return SOME_FAILED if done.failed else 0


def _say_how_it_went(console: Console, done: Done, runs: Path, suite: Suite) -> None:
    if done.computed or done.failed:
        failed = f", {done.failed} FAILED" if done.failed else ""
        console.print(f"{done.computed} cells computed, {done.held} held by the store{failed}, in {duration(done.seconds)}.", highlight=False)
    console.print(f"Report: {runs / suite.name / 'latest' / 'report.html'}", highlight=False, soft_wrap=True)


def fetch_sources(name: str, catalog: Path | None, store: Path | None) -> None:
    """Get what the threats of a suite read, and load each of its data sets and models once.

    Raises:
        ResourceError: some resources could not be had; everything else was.
    """
    _need_torch()
    suite = load_suite(name, Catalog(catalog))
    lacking = _fetch_resources(suite)
    place = Store(store or default_store())
    console = Console()
    with TerminalProgress(console) as progress, LocalEngine(Runner(workers=1), place.root, suite.threads) as engine:
        planned = prepare(suite, place, engine, progress)
    for model, facts in planned.models.items():
        console.print(f"{model}: {facts.parameters:,} parameters, sha256 {facts.weights_sha256[:16]}…", highlight=False)
    if planned.data is not None:
        sizes = ", ".join(f"{split} {len(ids)}" for split, ids in planned.data.ids.items())
        console.print(f"{suite.data.title}: {sizes}, fingerprint {planned.data.fingerprint[:16]}…", highlight=False)
    if lacking:
        raise ResourceError("\n".join(lacking))


def _fetch_resources(suite: Suite) -> list[str]:
    """Get what threats and recipes read, say what came of it, and return what could not be had."""
    needed: dict[str, tuple[Resource, list[str]]] = {}
    threats = [threat for benchmark in suite.benchmarks for threat in benchmark.threats.values()]
    read = [(threat.use, resource) for threat in threats for resource in threat.resources()]
    for name, resource in (*read, *(pair for each in suite.trainings.values() for pair in each.how.resources())):
        needed.setdefault(resource.is_, (resource, []))[1].append(name)
    lacking = []
    for resource, uses in needed.values():
        said = "already there" if resource.found() else "fetched"
        try:
            resource.fetch()
        except ResourceError as error:
            said = "MISSING"
            lacking.append(f"{', '.join(dict.fromkeys(uses))}: {error}")
        typer.echo(f"{resource.is_}: {said}")
    return lacking


def _need_torch() -> None:
    if version("torch") is None:
        raise MissingPackageError('Running needs torch and its companions, which are not installed. Run: pip install "windtunnel[vision]"')
