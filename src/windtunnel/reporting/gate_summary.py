"""The gate's verdict as Markdown, fit for a comment on a pull request."""

from __future__ import annotations

from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING

from windtunnel.core.estimate import Estimate
from windtunnel.reporting.texts import count, interval, listed, markdown, percent, points, probability

if TYPE_CHECKING:
    from windtunnel.reporting.gate import Row, Verdict

SIGNS = MappingProxyType({"passed": "✅", "regression": "❌", "cannot-judge": "⚠️"})

# More rows than this that merely passed are folded away.
SHOWN = 12


def summary(verdict: Verdict) -> str:
    """A heading, one sentence, the figures with trouble, the rest, and what else differs."""
    lines = [f"### {SIGNS[verdict.status]} Robustness gate: {verdict.status.replace('-', ' ')}", "", _sentence(verdict), ""]
    trouble = sorted((row for row in verdict.rows if row.status != "passed"), key=lambda row: row.status != "regression")
    fine = [row for row in verdict.rows if row.status == "passed"]
    if trouble:
        lines += [*_table(trouble), ""]
    if len(fine) > SHOWN or (fine and trouble):
        lines += ["<details>", f"<summary>{count(len(fine), 'figure')} passed</summary>", "", *_table(fine), "", "</details>", ""]
    elif fine:
        lines += [*_table(fine), ""]
    lines += [f"- {markdown(note)}" for note in verdict.notes]
    allowed = percent(verdict.max_drop)
    lines += [
        "",
        f"<sub>Fails on a drop of more than {allowed} pp that a paired test on the same samples confirms at 5 % (Holm over all rows).</sub>",
    ]
    return "\n".join(lines) + "\n"


def _sentence(verdict: Verdict) -> str:
    counts = Counter(row.status for row in verdict.rows)
    if not verdict.rows:
        return "There is nothing to compare."
    if verdict.status == "passed":
        return f"None of {count(len(verdict.rows), 'figure')} dropped by more than {percent(verdict.max_drop)} pp."
    parts = []
    if counts["regression"]:
        names = sorted({row.entry for row in verdict.rows if row.status == "regression"})
        parts.append(f"**{count(counts['regression'], 'figure')}** dropped by more than {percent(verdict.max_drop)} pp: {markdown(listed(names))}.")
    if counts["cannot-judge"]:
        parts.append(f"{count(counts['cannot-judge'], 'figure')} could not be judged.")
    return " ".join(parts)


def _table(rows: list[Row]) -> list[str]:
    lines = ["| | Entry | Figure | Baseline | This run | Change (95 %) | p | |", "|---|---|---|---:|---:|---:|---:|---|"]
    return lines + [_line(row) for row in rows]


def _line(row: Row) -> str:
    change = "–"
    if row.difference is not None:
        low, high = (points(end).removesuffix(" pp") for end in (row.difference.low, row.difference.high))
        change = f"{points(row.difference.value)} ({low} to {high})"
    p_value = "–" if row.corrected is None else markdown(probability(row.corrected))
    cells = [SIGNS[row.status], markdown(row.entry), markdown(row.column.title), _share(row.baseline), _share(row.run), change, p_value]
    return f"| {' | '.join([*cells, markdown(row.reason)])} |"


def _share(estimate: Estimate | None) -> str:
    return "–" if estimate is None else f"{percent(estimate.value)} ({interval(estimate)})"
