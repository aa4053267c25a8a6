"""The report's section on training conditions, and the accuracy of the worst group."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.runs import BENCHMARKS, Plot, write_run

from windtunnel.metrics.groups import by_group, worst_group
from windtunnel.metrics.intervals import seed_prior
from windtunnel.metrics.paired import compare
from windtunnel.reporting.conditions import condition_tables
from windtunnel.reporting.folder import RunFolder
from windtunnel.reporting.html import render
from windtunnel.reporting.leaderboard import Leaderboard
from windtunnel.reporting.measures import measures
from windtunnel.reporting.texts import percent, points
from windtunnel.reporting.writers import as_json, as_markdown

MODEL = "windtunnel/micro-resnet"
RECIPES = ("linear-probe", "full")
NOISE = {"use": "label-noise", "version": 1, "arguments": {"rate": 0.4, "kind": "symmetric"}}
MARKS = {
    **BENCHMARKS[0],
    "threats": [{"name": "marks", "use": "shortcut", "family": "corruption", "levels": ["1"], "norm": None, "grouped": True}],
    "headline": {"how": "mean", "threat": "marks", "level": None, "text": "mean accuracy of marks"},
}


def conditioned(place, clean=True, **changes) -> RunFolder:
    """A run of two recipes, each on clean and on noisy data, or on noisy and on "bad" data."""
    names = {"clean" if clean else "bad": "" if clean else " @ bad", "noisy": " @ noisy"}
    entries = tuple(f"{recipe}{suffix}" for recipe in RECIPES for suffix in names.values())
    drop = {f"{recipe} @ noisy": 1.0 for recipe in RECIPES}
    folder = write_run(place / "run", Plot(**{"models": (MODEL,), "recipes": entries, "samples": 80, "drop": drop, **changes}))
    body = json.loads((folder / "manifest.json").read_text())
    body["conditions"] = [
        {"name": name, "condition": None if name == "clean" else NOISE, "entries": {recipe: f"{recipe}{suffix}" for recipe in RECIPES}}
        for name, suffix in names.items()
    ]
    (folder / "manifest.json").write_text(json.dumps(body, sort_keys=True))
    return RunFolder.load(folder)


def tables(folder):
    return condition_tables(Leaderboard.of(folder), folder.manifest)


def test_a_run_without_conditions_has_no_such_section(run) -> None:
    assert tables(run) == ()
    assert 'id="conditions"' not in render(run)
    assert "training condition" not in render(run)


def test_each_recipe_has_a_row_and_each_condition_the_figure_of_the_leaderboard(tmp_path) -> None:
    folder = conditioned(tmp_path)
    board = Leaderboard.of(folder)
    found = condition_tables(board, folder.manifest)
    assert [table.headline for table in found] == [True] + [False] * (len(board.columns) - 1)
    assert [(row.model, row.recipe) for row in found[0].rows] == [(MODEL, "linear-probe"), (MODEL, "full")]
    for table, column in zip(found, board.columns, strict=True):
        for row in table.rows:
            for name, cell in zip((row.recipe, f"{row.recipe} @ noisy"), row.cells, strict=True):
                estimate = board.entry(f"{MODEL}/{name}").figures[column.name].estimate
                assert (cell.value, cell.low, cell.high) == (estimate.value, estimate.low, estimate.high)


def test_the_difference_is_paired_with_the_same_recipe_on_the_data_as_it_is(tmp_path) -> None:
    folder = conditioned(tmp_path)
    board = Leaderboard.of(folder)
    for row in condition_tables(board, folder.manifest)[0].rows:
        clean, noisy = row.cells
        assert clean.difference is None
        values = [board.entry(f"{MODEL}/{name}").figures["headline"].table.values for name in (f"{row.recipe} @ noisy", row.recipe)]
        alone = compare(*values, seeds=(0, 1)).difference
        assert noisy.difference.value == pytest.approx(alone.value) == pytest.approx(noisy.value - clean.value)
        assert noisy.difference.value < 0
        assert noisy.difference.low < noisy.difference.value < noisy.difference.high


def test_without_the_data_as_it_is_there_is_nothing_to_subtract(tmp_path) -> None:
    folder = conditioned(tmp_path, clean=False)
    assert all(cell.difference is None for table in tables(folder) for row in table.rows for cell in row.cells)
    assert "the difference to the data as it is" not in render(folder)


def test_a_failed_cell_is_shown_as_failed_and_has_no_difference(tmp_path) -> None:
    folder = conditioned(tmp_path, fail=[(MODEL, "full @ noisy", 1, "digits-linf", "apgd")])
    probe, full = tables(folder)[0].rows
    assert full.cells[1].value is None
    assert "apgd on seed 1 failed" in full.cells[1].reason
    assert full.cells[1].difference is None
    assert probe.cells[1].difference is not None
    assert "apgd on seed 1 failed" in render(folder)


def test_the_page_shows_figures_differences_and_arguments(tmp_path) -> None:
    folder = conditioned(tmp_path)
    page = render(folder)
    section = page.partition('id="conditions"')[2].partition("</section>")[0]
    cell = tables(folder)[0].rows[1].cells[1]
    assert percent(cell.value) in section
    assert points(cell.difference.value) in section
    assert "rate: 0.4" in section
    assert "1 model × 2 recipes × 2 training conditions × 2 seeds" in page
    assert "2 recipes: effective arguments" in page
    assert '<a href="#conditions">Conditions</a>' in page


def test_json_and_markdown_tell_the_same(tmp_path) -> None:
    folder = conditioned(tmp_path, fail=[(MODEL, "full @ noisy", 1, "digits-linf", "apgd")])
    board = Leaderboard.of(folder)
    body = json.loads(as_json(board, folder.manifest))
    found = tables(folder)
    assert [table["title"] for table in body["conditions"]] == [table.title for table in found]
    probe, full = body["conditions"][0]["rows"]
    cell = found[0].rows[0].cells[1]
    assert probe["conditions"]["noisy"]["value"] == pytest.approx(cell.value)
    assert probe["conditions"]["noisy"]["difference"]["value"] == pytest.approx(cell.difference.value)
    assert probe["conditions"]["clean"]["difference"] is None
    assert full["conditions"]["noisy"] == {"status": "failed", "reason": found[0].rows[1].cells[1].reason}
    text = as_markdown(board, folder.manifest)
    assert "under training conditions; in brackets the paired difference" in text
    assert f"| linear-probe | {percent(probe['conditions']['clean']['value'])} | {percent(cell.value)} ({points(cell.difference.value)}) |" in text
    assert "in brackets" not in as_markdown(Leaderboard.of(other := conditioned(tmp_path / "bad", clean=False)), other.manifest)


def test_json_and_markdown_of_a_run_without_conditions_do_not_speak_of_them(run) -> None:
    board = Leaderboard.of(run)
    assert "conditions" not in json.loads(as_json(board, run.manifest))
    assert "training conditions" not in as_markdown(board, run.manifest)


def grouped(place, groups=True, **changes) -> RunFolder:
    """A conditioned run whose outcomes under the marks tell a group: 2 * label and whether the sample's number is even."""
    folder = conditioned(place, benchmarks=(MARKS,), **changes)
    table = pq.read_table(folder.path / "outcomes.parquet")
    marked = {record.key for record in folder.records if record.labels.threat == "marks"}
    columns = zip(*(table.column(name).to_pylist() for name in ("key", "label", "sample")), strict=True)
    codes = [2 * label + int(sample[-1]) % 2 if key in marked and groups else None for key, label, sample in columns]
    pq.write_table(table.append_column("group", pa.array(codes, pa.int32())), folder.path / "outcomes.parquet")
    return RunFolder.load(folder.path)


def test_the_worst_group_is_told_from_outcomes_alone(tmp_path) -> None:
    folder = grouped(tmp_path)
    found = {each.recipe: each for each in measures(folder) if each.name == "worst-group accuracy under marks"}
    assert list(found) == list(folder.manifest.recipes)
    slices = [folder.outcomes.slice(folder.cell(MODEL, "full", seed, "digits-linf", "marks").key, "1") for seed in (0, 1)]
    correct, groups = np.array([each.correct for each in slices], dtype=float), slices[0].groups
    means = [correct[:, groups == group].mean() for group in np.unique(groups)]
    every = [
        table
        for recipe in folder.manifest.recipes
        for table in by_group(
            np.array([folder.outcomes.slice(folder.cell(MODEL, recipe, seed, "digits-linf", "marks").key, "1").correct for seed in (0, 1)]) * 1.0,
            groups,
        )
    ]
    expected = worst_group(by_group(correct, groups), (0, 1), seed_prior(every))
    assert found["full"].value == pytest.approx(min(means))
    assert (found["full"].low, found["full"].high) == (expected.low, expected.high)
    assert found["full"].higher_is_better is True


def test_the_worst_group_stands_among_the_conditions(tmp_path) -> None:
    folder = grouped(tmp_path)
    last = tables(folder)[-1]
    assert last.title == "worst-group accuracy under marks"
    assert not last.headline
    assert all(cell.value is not None and cell.difference is None for row in last.rows for cell in row.cells)
    assert "worst-group accuracy under marks" in render(folder)


def test_outcomes_without_groups_refuse_the_worst_group(tmp_path) -> None:
    folder = grouped(tmp_path, groups=False)
    found = [each for each in measures(folder) if each.name.startswith("worst-group")]
    assert {each.reason for each in found} == {"the outcomes of marks do not say which group a sample belongs to"}


def test_a_failed_seed_refuses_the_worst_group(tmp_path) -> None:
    folder = grouped(tmp_path, fail=[(MODEL, "full", 1, "digits-linf", "marks")])
    found = {each.recipe: each for each in measures(folder) if each.name.startswith("worst-group")}
    assert "marks on seed 1 failed" in found["full"].reason
    assert found["linear-probe"].value is not None
