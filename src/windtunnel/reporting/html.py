"""The page: one file without any network, the same bytes for the same records."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from windtunnel.reporting import sections, texts
from windtunnel.reporting.breakdown import class_tables, loss_tables
from windtunnel.reporting.charts import Style, style
from windtunnel.reporting.conditions import condition_tables
from windtunnel.reporting.folder import RunFolder
from windtunnel.reporting.leaderboard import Entry, Leaderboard
from windtunnel.reporting.levels import level_groups
from windtunnel.reporting.tradeoff import tradeoffs
from windtunnel.reporting.training import training_panels

TEMPLATES = Path(__file__).parent / "templates"


def render(folder: RunFolder, board: Leaderboard | None = None) -> str:
    """The report of a folder as one self-contained page.

    Args:
        folder: a run's folder or a published one.
        board: its leaderboard, if it was computed before.
    Raises:
        RecordError: the outcomes cannot be read.
    """
    board = board or Leaderboard.of(folder)
    manifest = folder.manifest
    looks = _looks(folder, board.entries)
    groups = tuple(level_groups(folder, board.entries, looks))
    page = _environment().get_template("report.html.j2")
    return page.render(
        manifest=manifest,
        board=board,
        looks=looks,
        style=_asset("style.css"),
        script=_asset("script.js"),
        recipe_looks=[(recipe, style(place, 0)) for place, recipe in enumerate(manifest.recipes)],
        model_looks=[(model, style(0, place)) for place, model in enumerate(manifest.models)],
        sizes={column.name: _size(board, column.name) for column in board.columns},
        brief=texts.brief(manifest.models),
        tradeoffs=tuple(tradeoffs(board, looks)),
        groups=[group for group in groups if not group.folded],
        folded=[group for group in groups if group.folded],
        conditions=condition_tables(board, folder.manifest),
        training=training_panels(folder, board.entries, looks),
        samples=sections.samples(folder, board),
        flags=sections.flag_groups(folder),
        failed=folder.failed,
        matrix=sections.matrix(board),
        details=sections.detail_rows(board),
        measures=sections.measure_rows(board),
        losses=tuple(loss_tables(board)),
        by_class=class_tables(board, manifest.data.classes, manifest.seeds),
        attacks=sections.attack_groups(board),
        models=list(sections.models(folder)),
        recipes=list(sections.recipes(folder)),
        notes=sections.notes(folder),
        records=folder.records,
        command=sections.command(manifest.source),
        suite_yaml=sections.suite_yaml(manifest.source),
        cells=len(folder.records),
        computed=_duration(total) if (total := sum(manifest.body.get("seconds", {}).values())) else "",
    )


def fragment(board: Leaderboard) -> str:
    """The leaderboard alone, for a notebook."""
    return _environment().get_template("fragment.html.j2").render(board=board)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, auto_reload=False
    )
    filters: dict[str, Any] = {
        "percent": texts.percent,
        "interval": texts.interval,
        "points": texts.points,
        "amount": texts.amount,
        "probability": texts.probability,
        "count": texts.count,
        "name": texts.one_line,
        "yaml": sections.plain_yaml,
        "digest": _digest,
    }
    environment.filters.update(filters)
    return environment


def _asset(name: str) -> Markup:
    """A file of ours that goes into the page as it is."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))


def _digest(text: str) -> str:
    """What the page's policy allows: this very style and script, so that no name can smuggle in another."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _looks(folder: RunFolder, entries: tuple[Entry, ...]) -> dict[str, Style]:
    recipes = {recipe: place for place, recipe in enumerate(folder.manifest.recipes)}
    models = {model: place for place, model in enumerate(folder.manifest.models)}
    return {entry.name: style(recipes[entry.recipe], models[entry.model]) for entry in entries}


def _size(board: Leaderboard, column: str) -> int:
    """Samples behind the figures of a column; 0 where all of them failed."""
    estimates = (entry.figures[column].estimate for entry in board.entries)
    return next((estimate.n for estimate in estimates if estimate is not None), 0)


def _duration(seconds: float) -> str:
    """A stretch of time, roughly: "2 min 51 s"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
