"""Commands over what a run left."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.console import Console

from windtunnel.catalog import default_store
from windtunnel.errors import RecordError
from windtunnel.execution.store import Store
from windtunnel.execution.verify import verify
from windtunnel.reporting.compare import compare
from windtunnel.reporting.gate import gate, parse_drop
from windtunnel.reporting.publish import publish, rebuild
from windtunnel.reporting.report import Report
from windtunnel.reporting.tables import comparison_table, leaderboard_table

DISAGREES = 1


def find_run(run: Path, runs: Path) -> Path:
    """The folder meant by a path, or the newest run of the suite of that name.

    Raises:
        RecordError: there is neither.
    """
    if run.is_dir():
        return run
    newest = runs / run / "latest"
    if newest.is_file():  # where links are not allowed, the name of the newest run
        return newest.parent / newest.read_text().strip()
    if newest.is_dir():
        return newest
    raise RecordError(f"There is no run at {run}, and no run of a suite called {str(run)!r} under {runs}/. Run it first: windtunnel run {run}")


def write_report(run: Path, runs: Path) -> None:
    """Write a run's report anew and print its leaderboard."""
    report = Report(find_run(run, runs))
    page = report.write()
    Console().print(leaderboard_table(report.leaderboard))
    typer.echo(f"Report: {page}")


def print_comparison(run: Path, runs: Path, column: str) -> None:
    """Print all paired comparisons of a column."""
    Console().print(comparison_table(compare(find_run(run, runs), column)))


def judge(run: Path, baseline: str, max_drop: str, summary: Path | None, runs: Path) -> int:
    """Print the gate's summary; its exit code."""
    folder, _, entry = baseline.partition("#")
    place = str(find_run(Path(folder), runs)) + (f"#{entry}" if entry else "")
    verdict = gate(find_run(run, runs), place, parse_drop(max_drop))
    typer.echo(verdict.markdown)
    if summary is not None:
        try:
            summary.write_text(verdict.markdown)
        except OSError as error:
            raise RecordError(f"{summary} cannot be written: {error.strerror or error}.") from error
    return verdict.exit_code


def publish_run(run: Path, to: Path, runs: Path, force: bool, allow_failed: bool) -> None:
    """Publish a run and say where."""
    typer.echo(f"published {publish(find_run(run, runs), to, force=force, allow_failed=allow_failed)}")


def rebuild_pages(folders: list[Path]) -> None:
    """Rebuild published pages, one line each."""
    for folder in folders:
        typer.echo(f"rebuilt {rebuild(folder)}")


def verify_run(run: Path, runs: Path, store: Path | None) -> int:
    """Print what is wrong with a run's folder, or that nothing is."""
    folder = find_run(run, runs)
    found = verify(folder, Store(store or default_store()))
    for problem in found.problems:
        typer.echo(f"WRONG  {problem}")
    checked = f"{found.records} records and {found.outcomes} outcomes checked, {found.stored} records against the store"
    typer.echo(f"{folder}: {checked}; {len(found.problems)} wrong.")
    return DISAGREES if found.problems else 0
