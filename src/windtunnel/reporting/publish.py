"""Publish: one folder that can be committed and rebuilt, byte for byte, from the records in it."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from windtunnel.core.canonical import dumps
from windtunnel.errors import RecordError
from windtunnel.reporting import files, writers
from windtunnel.reporting.folder import MANIFEST, OUTCOMES, RECORDS, RunFolder
from windtunnel.reporting.html import render
from windtunnel.reporting.leaderboard import Leaderboard
from windtunnel.reporting.sections import portrayed

PAGE, JSON, MARKDOWN = "index.html", "leaderboard.json", "leaderboard.md"

_ABSOLUTE = re.compile(r"^(?:/|~[\w.-]*/|[A-Za-z]:[\\/]|\\\\)")


# Parts of a manifest that are only shown. Names of models are not among them: the records are found by these.
_SHOWN = ("source", "provenance", "benchmarks", "recipe_arguments", "data")


def publish(run: Path | str, to: Path | str, *, force: bool = False, allow_failed: bool = False) -> Path:
    """Copy a run's records, outcomes and manifest to `to` and write its leaderboard and page there.

    Args:
        run: a run's folder.
        to: the folder to make, e.g. reports/NAME; replaced as a whole if it holds an earlier report of the same suite.
        force: replace a report of another suite.
        allow_failed: publish although cells failed; they are shown as failed.
    Returns:
        The published folder.
    Raises:
        RecordError: the run cannot be read, has failed cells, or `to` holds something else.
    """
    folder, target = RunFolder.load(run), Path(to)
    if folder.path.resolve() == target.resolve():
        raise RecordError(f"{target} is the run itself; publish to another folder, or rebuild this one.")
    if folder.failed and not allow_failed:
        first = folder.failed[0]
        raise RecordError(
            f"{len(folder.failed)} of {len(folder.records)} cells of {folder.path} failed, first: {first.labels} ({first.error}). "
            "Run the suite again, or publish with allow_failed (--allow-failed) to show them as failed."
        )
    _may_replace(target, folder.manifest.suite, force)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
    except OSError as error:
        raise RecordError(f"{target.parent} cannot be written: {error.strerror or error}.") from error
    try:
        _fill(temporary, folder)
        _swap(temporary, target)
    except OSError as error:
        raise RecordError(f"{target} cannot be written: {error.strerror or error}. What was there before is left as it was.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return target


def rebuild(folder: Path | str) -> Path:
    """Write the leaderboard and page of a published folder anew from its records; the same bytes for the same records.

    Raises:
        RecordError: the folder cannot be read or written.
    """
    published = RunFolder.load(folder)
    board = Leaderboard.of(published)
    files.write(published.path / JSON, writers.as_json(board, published.manifest))
    files.write(published.path / MARKDOWN, writers.as_markdown(board, published.manifest))
    return files.write(published.path / PAGE, render(published, board))


def without_paths(value: Any) -> Any:
    """Plain data in which every absolute path is reduced to its last part: where a machine keeps its files is nobody's business."""
    if isinstance(value, dict):
        return {key: without_paths(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_paths(item) for item in value]
    if isinstance(value, str) and _ABSOLUTE.match(value):
        return re.split(r"[\\/]", value.rstrip("\\/"))[-1]
    return value


def _may_replace(target: Path, suite: str, force: bool) -> None:
    if not target.exists() or force:
        return
    if not target.is_dir():
        raise RecordError(f"{target} is a file; give a folder to publish to.")
    if not any(target.iterdir()):
        return
    try:
        other = RunFolder.load(target).manifest.suite
    except RecordError as error:
        raise RecordError(f"{target} holds something that is no published report ({error}) Choose another folder, or force (--force).") from error
    if other != suite:
        raise RecordError(f"{target} holds a report of the suite {other!r}, not of {suite!r}. Choose another folder, or force (--force).")


def _fill(temporary: Path, folder: RunFolder) -> None:
    shutil.copyfile(folder.path / OUTCOMES, temporary / OUTCOMES)
    files.write(temporary / RECORDS, _records(folder))
    body = {name: without_paths(value) if name in _SHOWN else value for name, value in folder.manifest.body.items()}
    files.write(temporary / MANIFEST, json.dumps(body, indent=1, sort_keys=True) + "\n")
    rebuild(temporary)
    # A temporary folder is private; what is published is for everybody.
    temporary.chmod(0o755)


def _records(folder: RunFolder) -> str:
    """The records, pictures of samples only where the page shows any: of a large run they are four fifths of what is written."""
    shown = {(entry.model, entry.recipe) for entry in portrayed(Leaderboard.of(folder))}
    kept = (record if (record.labels.model, record.labels.recipe) in shown else replace(record, examples=()) for record in folder.records)
    return "".join(f"{dumps(record.as_dict())}\n" for record in kept)


def _swap(temporary: Path, target: Path) -> None:
    """Put the new folder where the old one was; a folder cannot be renamed over one that has files."""
    if not target.exists():
        temporary.rename(target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".old", dir=target.parent))
    target.rename(old / target.name)
    try:
        temporary.rename(target)
    except OSError:
        (old / target.name).rename(target)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)
