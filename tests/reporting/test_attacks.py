"""Attacks that tell of their attempts: counts, rates, queries and words against what can be counted by hand."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.runs import MODELS, Plot, write_run

from windtunnel.core.outcome import wilson
from windtunnel.execution.store import Store
from windtunnel.execution.verify import verify
from windtunnel.metrics.intervals import apart, averaged
from windtunnel.reporting.attacks import STATUSES, attacks
from windtunnel.reporting.breakdown import class_tables, loss_tables
from windtunnel.reporting.folder import RunFolder
from windtunnel.reporting.html import render
from windtunnel.reporting.leaderboard import Leaderboard
from windtunnel.reporting.writers import as_json

PLOT = Plot(models=MODELS[:1], recipes=("full", "pgd-at"), seeds=(0, 1), samples=50)


def told(folder, threat="fgsm", similarity=None):
    """A run of which one attack tells how its attempts went, as far as its outcomes say."""
    loaded = RunFolder.load(write_run(folder, PLOT))
    path = folder / "outcomes.parquet"
    table = pq.read_table(path)
    clean = {}
    for record in loaded.records:
        if record.labels.threat == "clean":
            rows = [row for row in table.to_pylist() if row["key"] == record.key]
            clean[record.labels.model, record.labels.recipe, record.labels.seed] = {row["sample"]: row["label"] == row["predicted"] for row in rows}
    tellers = {record.key: record.labels for record in loaded.records if record.labels.threat == threat}
    status, queries, alike = [], [], []
    for row in table.to_pylist():
        labels = tellers.get(row["key"])
        if labels is None:
            status.append(None), queries.append(None), alike.append(None)
            continue
        right = clean[labels.model, labels.recipe, labels.seed][row["sample"]]
        status.append("skipped" if not right else "failed" if row["label"] == row["predicted"] else "succeeded")
        queries.append(int(row["sample"][-2:]) + 1 if right else 0)
        alike.append(similarity)
    table = table.append_column("status", pa.array(status, pa.string())).append_column("queries", pa.array(queries, pa.int32()))
    pq.write_table(table.append_column("similarity", pa.array(alike, pa.float32())), path)
    return RunFolder.load(folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return told(tmp_path_factory.mktemp("told") / "run")


def test_counts_add_up_to_all_samples_of_all_seeds_and_only_attacks_that_tell_are_there(folder):
    found = attacks(folder)
    assert {attack.threat for attack in found} == {"fgsm"}
    assert {attack.level for attack in found} == set(folder.manifest.benchmarks[0].family("attack")[0].levels) - {"0"}
    assert all(attack.samples == 2 * 50 and not attack.reason for attack in found)


def test_success_is_counted_over_the_samples_that_were_right_before(folder):
    attack = [each for each in attacks(folder) if each.recipe == "full"][-1]
    rates = []
    for seed in (0, 1):
        record = folder.cell(attack.model, "full", seed, attack.benchmark, "fgsm")
        status = folder.outcomes.slice(record.key, attack.level).attempts.status
        rates.append(replace(wilson(status.count("succeeded"), 50 - status.count("skipped")), seeds=(seed,)))
    assert attack.success == averaged(rates)
    counts = dict(zip(STATUSES, attack.counts, strict=True))
    assert min(counts["succeeded"], counts["skipped"]) > 0


def test_queries_are_over_attacked_samples_and_words_over_those_that_fell(folder):
    attack = [each for each in attacks(folder) if each.recipe == "full"][-1]
    queries = []
    for seed in (0, 1):
        record = folder.cell(attack.model, "full", seed, attack.benchmark, "fgsm")
        found = folder.outcomes.slice(record.key, attack.level)
        queries += [asked for status, asked in zip(found.attempts.status, found.attempts.queries, strict=True) if status != "skipped"]
    assert attack.queries.mean == pytest.approx(np.mean(queries))
    assert attack.queries.median == pytest.approx(np.median(queries))
    assert attack.words.quantiles[0] == attack.words.quantiles[-1] > 0, "the synthetic attack moves all by its radius"
    assert attack.similarity is None


def test_the_page_and_the_json_show_them_and_nothing_where_no_attack_tells(folder, run):
    board = Leaderboard.of(folder)
    page = render(folder, board)
    assert "How the attacks went" in page
    assert "no constraint of it measures similarity" in page
    body = json.loads(as_json(board, folder.manifest))
    assert {sum(each["attempts"].values()) for each in body["attacks"]} == {100}
    assert "How the attacks went" not in render(run)
    assert "attacks" not in json.loads(as_json(Leaderboard.of(run), run.manifest))


def test_similarity_is_shown_where_it_was_measured(tmp_path):
    folder = told(tmp_path / "run", similarity=0.875)
    assert {attack.similarity for attack in attacks(folder) if attack.words} == {0.875}
    assert "0.875" in render(folder)


def test_classes_taken_apart_come_together_again(run):
    board = Leaderboard.of(run)
    tables = class_tables(board, run.manifest.data.classes, run.manifest.seeds)
    assert [table.column.name for table in tables] == [column.name for column in board.columns]
    clean = next(table for table in tables if table.column.name == "clean")
    for entry, row in clean.rows:
        whole = entry.figures["clean"].estimate
        assert sum(each.value * each.n for each in row) / sum(each.n for each in row) == pytest.approx(whole.value)


def test_of_many_classes_the_worst_are_shown(run):
    board = Leaderboard.of(run)
    column = next(column for column in board.columns if column.name == "clean")
    entry = board.entries[0]
    table = entry.figures["clean"].table
    labels = np.arange(len(table.labels)) % 15
    values = np.tile(labels != 3, (len(table.values), 1)).astype(float)
    changed = replace(entry, figures={"clean": replace(entry.figures["clean"], table=replace(table, values=values, labels=labels))})
    found = class_tables(replace(board, columns=(column,), entries=(changed,)), tuple(f"c{place}" for place in range(15)), (0, 1))
    assert "c3" in found[0].classes
    assert (len(found[0].classes), found[0].left_out) == (10, 5)


def test_what_other_data_cost_is_their_accuracy_minus_the_clean_one(run):
    board = Leaderboard.of(run)
    table = next(loss_tables(board))
    assert table.shifts
    for entry, row in table.rows:
        clean, shift = (entry.figures[column.name].estimate for column in (table.clean, table.shifts[0]))
        assert row[0] == clean
        assert row[1].value == pytest.approx(shift.value - clean.value)
        assert row[1].low < row[1].value < row[1].high


def test_the_interval_of_a_difference_is_the_published_one():
    # Newcombe 1998, table II, case (a): 56/70 and 48/80, method 10.
    found = apart(wilson(56, 70), wilson(48, 80))
    assert (found.value, found.low, found.high) == (pytest.approx(0.2), pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))


def test_verify_finds_a_status_that_contradicts_its_outcome(folder, tmp_path):
    store = Store(tmp_path / "store")
    said = "how its attempts went contradicts its outcomes"
    assert not any(said in problem for problem in verify(folder.path, store).problems)
    shutil.copytree(folder.path, tmp_path / "changed")
    path = tmp_path / "changed" / "outcomes.parquet"
    table = pq.read_table(path)
    status = table.column("status").to_pylist()
    status[status.index("failed")] = "succeeded"
    place = table.column_names.index("status")
    pq.write_table(table.set_column(place, "status", pa.array(status, pa.string())), path)
    assert sum(said in problem for problem in verify(tmp_path / "changed", store).problems) == 1
