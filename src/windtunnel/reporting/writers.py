"""Writers: the leaderboard as JSON for programs, CSV for spreadsheets and Markdown for a README or a pull request."""

from __future__ import annotations

import csv
import io
from typing import Any

from windtunnel.core import canonical
from windtunnel.core.estimate import Estimate
from windtunnel.reporting.attacks import QUANTILES, STATUSES, Attack, Distribution
from windtunnel.reporting.columns import Column
from windtunnel.reporting.conditions import ConditionTable, Shown, condition_tables
from windtunnel.reporting.details import Detail
from windtunnel.reporting.figures import Figure
from windtunnel.reporting.leaderboard import Entry, Leaderboard, Pair
from windtunnel.reporting.manifest import Manifest
from windtunnel.reporting.measures import Measure
from windtunnel.reporting.texts import interval, markdown, percent, points, rounded

SCHEMA = 1
"""Version of the shape of leaderboard.json."""

FAILED = "failed"


def as_json(board: Leaderboard, manifest: Manifest) -> str:
    """Canonical JSON, one line; the same bytes for the same records."""
    body = {
        "schema": SCHEMA,
        "suite": board.suite,
        "created": manifest.created,
        "selection": manifest.selection,
        "seeds": list(manifest.seeds),
        "data": {"name": manifest.data.name, "fingerprint": manifest.data.fingerprint},
        "benchmarks": [{"name": item.name, "version": item.version, "samples": item.samples, "data": item.data} for item in manifest.benchmarks],
        "headline": board.headline.name,
        "columns": [_column(column) for column in board.columns],
        "entries": [_entry(entry) for entry in board.entries],
        "pairs": [_pair(pair) for pair in board.pairs],
        "details": [_detail(detail) for detail in board.details],
        "measures": [_measure(measure) for measure in board.measures],
    }
    if board.attacks:
        body["attacks"] = [_attack(attack) for attack in board.attacks]
    if conditions := condition_tables(board, manifest):
        body["conditions"] = [_under(table, manifest) for table in conditions]
    return canonical.dumps(body) + "\n"


def as_csv(board: Leaderboard) -> str:
    """One row per entry; accuracies in [0, 1]; a figure that could not be computed says so."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    header = ["rank", "model", "recipe"]
    for column in board.columns:
        header += [column.name, f"{column.name} low", f"{column.name} high", f"{column.name} n", f"{column.name} seeds", f"{column.name} flags"]
    writer.writerow(header)
    for entry in board.entries:
        row: list[object] = [FAILED if entry.rank is None else entry.rank, entry.model, entry.recipe]
        for column in board.columns:
            row += _cells(entry.figures[column.name])
        writer.writerow(row)
    return buffer.getvalue()


def as_markdown(board: Leaderboard, manifest: Manifest) -> str:
    """A table with intervals, and what its numbers mean below it."""
    titles = ["Rank", "Model", "Recipe", *(markdown(column.title) for column in board.columns)]
    lines = [f"# {markdown(board.suite)}", "", _row(titles), _row(["---:", "---", "---", *["---:"] * len(board.columns)])]
    for entry in board.entries:
        rank = "–" if entry.rank is None else str(entry.rank)
        figures = [_shown(entry.figures[column.name]) for column in board.columns]
        lines.append(_row([rank, markdown(entry.model), markdown(entry.recipe), *figures]))
    for table in condition_tables(board, manifest):
        if table.headline:
            lines += ["", *_conditions(table, manifest)]
    lines += ["", *_notes(board, manifest)]
    return "\n".join(lines) + "\n"


def _conditions(table: ConditionTable, manifest: Manifest) -> list[str]:
    """The headline under every training condition, and what a condition costs."""
    names = [markdown(condition.name) for condition in manifest.conditions]
    paired = any(cell.difference for row in table.rows for cell in row.cells)
    told = "; in brackets the paired difference to the data as it is" if paired else ""
    lines = [f"{markdown(table.title)} under training conditions{told}:", ""]
    lines += [_row(["Model", "Recipe", *names]), _row(["---", "---", *["---:"] * len(names)])]
    return [*lines, *(_row([markdown(row.model), markdown(row.recipe), *map(_cost, row.cells)]) for row in table.rows)]


def _cost(found: Shown) -> str:
    if found.value is None:
        return "**failed**"
    return percent(found.value) if found.difference is None else f"{percent(found.value)} ({points(found.difference.value)})"


def _notes(board: Leaderboard, manifest: Manifest) -> list[str]:
    seeds = ", ".join(str(seed) for seed in manifest.seeds)
    notes = [
        f"Accuracy in percent with 95 % intervals over samples and training seeds ({seeds}). Entries share a rank where a paired test, "
        "corrected for the number of comparisons, cannot tell them apart.",
        "",
        *(f"- **{markdown(column.title)}**: {markdown(column.explanation)}" for column in board.columns),
    ]
    flags = {flag.name: flag for entry in board.entries for figure in entry.figures.values() for flag in figure.flags}
    if flags:
        notes += ["", "Flags (⚑): " + " ".join(f"`{name}`: {markdown(flag.message)}" for name, flag in sorted(flags.items()))]
    failed = {figure.reason for entry in board.entries for figure in entry.figures.values() if figure.estimate is None}
    if failed:
        notes += ["", "Failed: " + " ".join(f"{markdown(reason)}." for reason in sorted(failed))]
    return notes


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _shown(figure: Figure) -> str:
    if figure.estimate is None:
        return "**failed**"
    return f"{percent(figure.estimate.value)} ({interval(figure.estimate)}){' ⚑' if figure.flags else ''}"


def _cells(figure: Figure) -> list[object]:
    estimate = figure.estimate
    if estimate is None:
        return [FAILED, "", "", "", "", ""]
    seeds = " ".join(str(seed) for seed in estimate.seeds)
    flags = " ".join(flag.name for flag in figure.flags)
    return [rounded(estimate.value), rounded(estimate.low), rounded(estimate.high), estimate.n, seeds, flags]


def _column(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "title": column.title,
        "benchmark": column.benchmark,
        "family": column.family,
        "how": column.how,
        "headline": column.headline,
        "parts": [{"threat": part.threat, "level": part.level} for part in column.parts],
    }


def _entry(entry: Entry) -> dict[str, Any]:
    figures = {name: _figure(figure) for name, figure in entry.figures.items()}
    return {"model": entry.model, "recipe": entry.recipe, "rank": entry.rank, "figures": figures}


def _figure(figure: Figure) -> dict[str, Any]:
    if figure.estimate is None:
        return {"status": FAILED, "reason": figure.reason}
    return {"status": "done", **_estimate(figure.estimate), "flags": [flag.as_dict() for flag in figure.flags]}


def _estimate(estimate: Estimate) -> dict[str, Any]:
    numbers = {"value": rounded(estimate.value), "low": rounded(estimate.low), "high": rounded(estimate.high)}
    return {**numbers, "n": estimate.n, "seeds": list(estimate.seeds)}


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "left": pair.left,
        "right": pair.right,
        "difference": _estimate(pair.difference),
        "p": rounded(pair.p_value),
        "corrected_p": rounded(pair.corrected),
        "separated": pair.separated,
        "test": pair.test,
    }


def _measure(measure: Measure) -> dict[str, Any]:
    place = {"model": measure.model, "recipe": measure.recipe, "benchmark": measure.benchmark, "measure": measure.name}
    if measure.reason:
        return {**place, "status": FAILED, "reason": measure.reason}
    numbers = {name: None if number is None else rounded(number) for name, number in vars(measure).items() if name in ("value", "low", "high")}
    return {**place, "status": "done", **numbers, "text": measure.text}


def _under(table: ConditionTable, manifest: Manifest) -> dict[str, Any]:
    names = [condition.name for condition in manifest.conditions]
    rows = [{"model": row.model, "recipe": row.recipe, "conditions": dict(zip(names, map(_condition, row.cells), strict=True))} for row in table.rows]
    return {"title": table.title, "benchmark": table.benchmark, "headline": table.headline, "rows": rows}


def _condition(found: Shown) -> dict[str, Any]:
    if found.value is None:
        return {"status": FAILED, "reason": found.reason}
    numbers = {name: None if number is None else rounded(number) for name, number in vars(found).items() if name in ("value", "low", "high")}
    return {"status": "done", **numbers, "difference": None if found.difference is None else _estimate(found.difference)}


def _attack(attack: Attack) -> dict[str, Any]:
    names = ("model", "recipe", "benchmark", "threat", "level", "thresholds")
    place = {name: canonical.plain(getattr(attack, name)) for name in names}
    if attack.reason:
        return {**place, "status": FAILED, "reason": attack.reason}
    return {
        **place,
        "status": "done",
        "attempts": dict(zip(STATUSES, attack.counts, strict=True)),
        "success": None if attack.success is None else _estimate(attack.success),
        "queries": _distribution(attack.queries),
        "changed_words": _distribution(attack.words),
        "similarity": None if attack.similarity is None else rounded(attack.similarity),
    }


def _distribution(found: Distribution | None) -> dict[str, Any] | None:
    if found is None:
        return None
    quantiles = {f"{share:g}": rounded(value) for share, value in zip(QUANTILES, found.quantiles, strict=True)}
    return {"mean": rounded(found.mean), "quantiles": quantiles}


def _detail(detail: Detail) -> dict[str, Any]:
    place = {"model": detail.model, "recipe": detail.recipe, "benchmark": detail.benchmark, "metric": detail.metric}
    return {**place, **_figure(Figure(detail.estimate, detail.reason))}
