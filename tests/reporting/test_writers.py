"""The leaderboard as JSON, CSV, Markdown and a table of the terminal."""

from __future__ import annotations

import csv
import io
import json

import pytest
from rich.console import Console
from support.runs import MODELS, Plot, write_run

from windtunnel.core import canonical
from windtunnel.errors import UnknownNameError
from windtunnel.reporting import texts, writers
from windtunnel.reporting.compare import compare
from windtunnel.reporting.folder import RunFolder
from windtunnel.reporting.leaderboard import Leaderboard
from windtunnel.reporting.tables import comparison_table, leaderboard_table


@pytest.fixture(scope="module")
def board(broken):
    return Leaderboard.of(broken)


def shown(table, width=160):
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(table)
    return console.export_text()


def test_json_is_canonical_and_holds_every_figure(board, broken):
    text = writers.as_json(board, broken.manifest)
    body = json.loads(text)
    assert text == canonical.dumps(body) + "\n"
    assert [entry["rank"] for entry in body["entries"]] == [entry.rank for entry in board.entries]
    first = body["entries"][0]["figures"]["headline"]
    assert first["value"] == pytest.approx(board.entries[0].figures["headline"].estimate.value, abs=1e-6)
    assert set(first) == {"status", "value", "low", "high", "n", "seeds", "flags"}


def test_a_failed_figure_is_failed_in_every_format(board, broken):
    name = f"{MODELS[1]}/full"
    body = json.loads(writers.as_json(board, broken.manifest))
    figure = next(entry for entry in body["entries"] if f"{entry['model']}/{entry['recipe']}" == name)["figures"]["attack"]
    assert figure["status"] == "failed"
    assert "value" not in figure
    row = next(row for row in csv.DictReader(io.StringIO(writers.as_csv(board))) if (row["model"], row["recipe"]) == (MODELS[1], "full"))
    assert (row["rank"], row["attack"], row["attack low"]) == ("failed", "failed", "")
    assert float(row["clean"]) > 0
    assert "**failed**" in writers.as_markdown(board, broken.manifest)
    assert "apgd on seed 1 failed" in writers.as_markdown(board, broken.manifest)
    assert "failed" in shown(leaderboard_table(board))


def test_csv_has_as_many_cells_in_every_row(board):
    rows = list(csv.reader(io.StringIO(writers.as_csv(board))))
    assert len(rows) == 7
    assert {len(row) for row in rows} == {3 + 6 * 5}


def test_hostile_names_cannot_leave_their_cell(tmp_path):
    names = ("a|b", "<script>alert(1)</script>", "[red]x[/red]", "line\nbreak", "`code`", "\u202eright to left")
    folder = RunFolder.load(write_run(tmp_path, Plot(models=MODELS[:1], recipes=names, seeds=(0,), samples=20)))
    board = Leaderboard.of(folder)
    markdown = writers.as_markdown(board, folder.manifest)
    table = [line for line in markdown.splitlines() if line.startswith("|")]
    assert len(table) == 2 + len(names)
    assert {line.replace("\\|", "").count("|") for line in table} == {4 + len(board.columns)}
    assert "<script>" not in markdown
    assert "\u202e" not in markdown
    terminal = shown(leaderboard_table(board))
    assert "[red]x[/red]" in terminal
    assert "\u202e" not in terminal


def test_the_terminal_shows_every_entry_with_its_interval(board):
    text = shown(leaderboard_table(board))
    best = board.entries[0].figures["headline"].estimate
    assert texts.percent(best.value) in text
    assert f"{texts.percent(best.low, 0)}–{texts.percent(best.high, 0)}" in text
    assert all(entry.recipe in text for entry in board.entries)


def test_the_terminal_table_fits_eighty_columns_without_losing_a_figure(board):
    text = shown(leaderboard_table(board), width=80)
    assert max(len(line) for line in text.splitlines()) <= 80
    for entry in board.entries:
        estimates = [figure.estimate for figure in entry.figures.values() if figure.estimate is not None]
        assert all(f"{texts.percent(estimate.low, 0)}–{texts.percent(estimate.high, 0)}" in text for estimate in estimates)
    assert "report." not in text  # no flags in this run
    assert "no rank." in text


def test_pairs_are_compared_on_any_column(broken):
    found = compare(broken, "clean")
    assert found.column.name == "clean"
    assert len(found.pairs) == 15
    assert [pair.corrected for pair in found.pairs] == sorted(pair.corrected for pair in found.pairs)
    assert all(pair.difference.value >= 0 for pair in found.pairs)
    headline = compare(broken.path)
    assert headline.left_out == (f"{MODELS[1]}/full",)
    assert len(headline.pairs) == 10
    assert "McNemar" in shown(comparison_table(headline)) or "sign flip" in shown(comparison_table(headline))
    with pytest.raises(UnknownNameError, match=r"'corruptions'.*Did you mean 'corruption'"):
        compare(broken, "corruptions")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (texts.percent(-0.0001), "0.0"),
        (texts.points(0.0), "0.0 pp"),
        (texts.points(-0.0304), "-3.0 pp"),
        (texts.probability(0.0004), "< 0.001"),
        (texts.count(2, "entry"), "2 entries"),
        (texts.count(1, "cell"), "1 cell"),
        (texts.listed(["a"]), "a"),
        (texts.listed(["a", "b", "c"]), "a, b and c"),
        (texts.listed(["a", "b", "c", "d", "e"]), "a, b, c and 2 others"),
    ],
)
def test_numbers_read_well(text, expected):
    assert text == expected
