"""The leaderboard against the same figures computed with pandas, and its rules on failures and ties."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest
from support.runs import BENCHMARKS, MODELS, Plot, write_run

from windtunnel.metrics.intervals import pooled
from windtunnel.reporting.columns import columns
from windtunnel.reporting.folder import RunFolder
from windtunnel.reporting.leaderboard import Leaderboard


@pytest.fixture(scope="module")
def board(run):
    return Leaderboard.of(run)


@pytest.fixture(scope="module")
def frame(run):
    """One row per cell, level and sample, with names instead of keys."""
    outcomes = pd.read_parquet(run.path / "outcomes.parquet").drop_duplicates(["key", "level", "sample"])
    names = pd.DataFrame([{"key": record.key, **vars(record.labels)} for record in run.records if record.kind == "evaluate"])
    merged = names.merge(outcomes, on="key")
    merged["correct"] = merged.label == merged.predicted
    return merged


def edited(run, tmp_path, **change):
    folder = shutil.copytree(run.path, tmp_path / "edited")
    body = json.loads((folder / "manifest.json").read_text())
    for name, value in change.items():
        body["benchmarks"][0][name] = value
    (folder / "manifest.json").write_text(json.dumps(body))
    return RunFolder.load(folder)


def test_every_figure_is_what_pandas_says(board, frame):
    top = frame[frame.level == "8/255"]
    clean = frame[(frame.threat == "clean") & (frame.benchmark == "digits-linf")]
    by_sample = top.groupby(["model", "recipe", "seed", "sample"]).correct.all()
    expected = {
        "headline": top[top.threat == "apgd"].groupby(["model", "recipe"]).correct.mean(),
        "clean": clean.groupby(["model", "recipe"]).correct.mean(),
        "attack": by_sample.groupby(["model", "recipe"]).mean(),
        "shift": frame[frame.threat == "mnist5k"].groupby(["model", "recipe"]).correct.mean(),
        "corruption": frame[frame.family == "corruption"].groupby(["model", "recipe"]).correct.mean(),
    }
    assert {column.name for column in board.columns} == set(expected)
    for entry in board.entries:
        for name, values in expected.items():
            estimate = entry.figures[name].estimate
            assert estimate.value == pytest.approx(values[entry.model, entry.recipe]), (entry.name, name)
            assert estimate.low < estimate.value < estimate.high or estimate.value in (0, 1)
            assert (estimate.n, estimate.seeds) == (60, (0, 1))


def test_the_table_behind_a_figure_is_one_row_per_seed(board, frame):
    entry = board.entries[0]
    table = entry.figures["attack"].table
    rows = frame[(frame.model == entry.model) & (frame.recipe == entry.recipe) & (frame.level == "8/255")]
    expected = rows.groupby(["seed", "sample"]).correct.all().unstack().astype(float)
    assert table.samples == tuple(expected.columns)
    assert (table.values == expected.to_numpy()).all()


def test_a_merged_headline_ranks_first_and_is_not_shown_twice(run):
    names = [column.name for column in columns(run.manifest)]
    assert names == ["headline", "clean", "attack", "shift", "corruption"]
    corruption = columns(run.manifest)[-1]
    assert corruption.headline
    assert corruption.title == "mean accuracy under corruption"
    assert len(corruption.parts) == 18


def test_entries_are_sorted_by_the_headline_and_ranked_by_who_beats_them(board):
    values = [entry.figures["headline"].estimate.value for entry in board.entries]
    assert values == sorted(values, reverse=True)
    for entry in board.entries:
        assert entry.rank == 1 + sum(pair.separated and pair.right == entry.name for pair in board.pairs)
    assert board.entries[0].rank == 1
    assert board.entries[-1].rank > 1
    assert len(board.pairs) == 15


def test_entries_that_the_data_cannot_separate_share_the_first_rank(tmp_path):
    plot = Plot(recipes=("full", "full-twin"), models=MODELS[:1], samples=60)
    board = Leaderboard.of(RunFolder.load(write_run(tmp_path, plot)))
    assert [entry.rank for entry in board.entries] == [1, 1]
    assert len(board.tied_first) == 2


def test_a_failed_cell_fails_its_figures_and_no_other(broken, board):
    other = Leaderboard.of(broken)
    entry = other.entry(f"{MODELS[1]}/full")
    assert entry.rank is None
    assert other.entries[-1] is entry
    for name in ("headline", "attack"):
        assert entry.figures[name].estimate is None
        assert "apgd on seed 1 failed: VictimError" in entry.figures[name].reason
    same = board.entry(entry.name)
    for name in ("clean", "shift", "corruption"):
        assert entry.figures[name].estimate == same.figures[name].estimate
    assert all(entry.name not in (pair.left, pair.right) for pair in other.pairs)


def test_a_missing_record_fails_as_well(run, tmp_path):
    folder = shutil.copytree(run.path, tmp_path / "missing")
    lines = (folder / "records.jsonl").read_text().splitlines(keepends=True)
    gone = run.cell(MODELS[0], "full", 0, "digits-corruptions", "fog")
    kept = [line for line in lines if json.loads(line)["labels"] != vars(gone.labels)]
    (folder / "records.jsonl").write_text("".join(kept))
    figure = Leaderboard.of(RunFolder.load(folder)).entry(f"{MODELS[0]}/full").figures["corruption"]
    assert figure.estimate is None
    assert "fog on seed 0 is missing" in figure.reason


def test_a_failed_fine_tuning_fails_everything_with_its_reason(small, tmp_path):
    plot = Plot(**small, fail=[(MODELS[0], "full", 0, "", "")], error="RecipeError: the loss became NaN")
    entry = Leaderboard.of(RunFolder.load(write_run(tmp_path, plot))).entry(f"{MODELS[0]}/full")
    assert all(figure.estimate is None for figure in entry.figures.values())
    assert "fine-tuning with seed 0 failed: RecipeError: the loss became NaN" in entry.figures["clean"].reason


def test_flags_travel_into_every_figure_that_they_touch(small, tmp_path):
    plot = Plot(**{**small, "recipes": ("full", "full-augmix")})
    board = Leaderboard.of(RunFolder.load(write_run(tmp_path, plot)))
    figures = board.entry(f"{MODELS[0]}/full-augmix").figures
    assert [flag.name for flag in figures["attack"].flags] == ["larger-budget-does-not-help"]
    assert figures["headline"].flags == ()  # apgd alone; the flag is fgsm's


@pytest.mark.parametrize(
    ("headline", "expected"),
    [
        ({"how": "worst-case", "threat": "attack", "level": None, "text": "t"}, {("fgsm", "8/255"), ("apgd", "8/255")}),
        ({"how": "worst-case", "threat": "attack", "level": "4/255", "text": "t"}, {("fgsm", "4/255"), ("apgd", "4/255")}),
        ({"how": "mean", "threat": "fgsm", "level": None, "text": "t"}, {("fgsm", "2/255"), ("fgsm", "4/255"), ("fgsm", "8/255")}),
        ({"how": "mean", "threat": "shift", "level": None, "text": "t"}, {("mnist5k", "1")}),
    ],
)
def test_a_headline_is_made_of_what_it_says(run, tmp_path, headline, expected):
    found = columns(edited(run, tmp_path, headline=headline).manifest)[0]
    assert found.headline
    assert found.title == "t"
    assert {(part.threat, part.level) for part in found.parts} == expected


def test_a_headline_over_different_samples_has_no_worst_case(run, tmp_path):
    folder = edited(run, tmp_path, headline={"how": "worst-case", "threat": None, "level": None, "text": "all"})
    figure = Leaderboard.of(folder).entries[0].figures["headline"]
    assert figure.estimate is None
    assert "different samples" in figure.reason


def test_a_headline_about_a_level_that_nothing_has_fails(run, tmp_path):
    folder = edited(run, tmp_path, headline={"how": "worst-case", "threat": "apgd", "level": "3/255", "text": "at 3/255"})
    board = Leaderboard.of(folder)
    assert all(entry.rank is None for entry in board.entries)
    assert "at 3/255" in board.entries[0].figures["headline"].reason


def test_columns_of_two_benchmarks_are_told_apart_by_name(tmp_path, small):
    other = {**BENCHMARKS[0], "name": "again", "data": "digits[val]"}
    folder = RunFolder.load(write_run(tmp_path, Plot(**small, benchmarks=(BENCHMARKS[0], other))))
    names = [column.name for column in columns(folder.manifest)]
    first, second = "digits-linf", "again"
    assert names == [f"headline:{first}", *(f"{name}:{first}" for name in ("clean", "attack", "shift")),
                     *(f"{name}:{second}" for name in ("clean", "attack", "shift", "headline"))]  # fmt: skip
    assert len(set(names)) == len(names)


def test_several_shifts_get_a_column_each_and_a_mean(tmp_path, small):
    threats = [{"name": name, "use": "shift", "family": "shift", "levels": ["1"], "norm": None} for name in ("mnist5k", "usps")]
    headline = {"how": "mean", "threat": "shift", "level": None, "text": "mean shift"}
    folder = RunFolder.load(write_run(tmp_path, Plot(**small, benchmarks=({**BENCHMARKS[0], "threats": threats, "headline": headline},))))
    board = Leaderboard.of(folder)
    assert [column.name for column in board.columns] == ["shift", "clean", "shift-mnist5k", "shift-usps"]
    for entry in board.entries:
        single = [entry.figures[name].estimate.value for name in ("shift-mnist5k", "shift-usps")]
        assert entry.figures["shift"].estimate.value == pytest.approx(sum(single) / 2)


def test_two_names_of_one_cell_count_once_beside_other_data(tmp_path, small):
    fog = {"name": "fog", "use": "fog", "family": "corruption", "levels": ["1"], "norm": None}
    shift = {"name": "mnist5k", "use": "shift", "family": "shift", "levels": ["1"], "norm": None}
    headline = {"how": "mean", "threat": None, "level": None, "text": "mean accuracy"}
    tables = []
    for threats in ((fog, shift), (fog, {**fog, "name": "mist"}, shift)):
        benchmark = {**BENCHMARKS[0], "threats": threats, "headline": headline}
        folder = RunFolder.load(write_run(tmp_path / str(len(threats)), Plot(**small, benchmarks=(benchmark,))))
        tables.append([entry.figures["headline"].table for entry in Leaderboard.of(folder).entries])
    for once, twice in zip(*tables, strict=True):
        assert len(once.samples) == 2 * small["samples"]
        assert once.samples == twice.samples
        assert (once.values == twice.values).all()


def test_two_benchmarks_over_the_same_samples_share_their_clean_figure(tmp_path, small):
    renamed = {**BENCHMARKS[0], "name": "again"}
    folder = RunFolder.load(write_run(tmp_path, Plot(**small, benchmarks=(BENCHMARKS[0], renamed))))
    written = len({record.key for record in folder.records if record.labels.threat == "clean"})
    assert written == len(folder.manifest.models) * len(folder.manifest.recipes) * len(folder.manifest.seeds)
    board = Leaderboard.of(folder)
    for entry in board.entries:
        assert entry.figures["clean"].estimate.n == small["samples"]
        assert len(entry.figures["headline:again"].table.samples) == small["samples"]
        assert entry.figures["headline:again"].estimate == entry.figures["headline:digits-linf"].estimate


def test_one_seed_has_wilsons_interval(tmp_path, small):
    board = Leaderboard.of(RunFolder.load(write_run(tmp_path, Plot(**{**small, "seeds": (3,)}))))
    figure = board.entries[0].figures["clean"]
    assert figure.estimate == pooled(figure.table.values, seeds=(3,))


def test_further_metrics_are_means_over_seeds(run, board, frame):
    from sklearn.metrics import f1_score

    detail = next(d for d in board.details if (d.model, d.recipe, d.metric) == (MODELS[0], "full", "macro-f1"))
    rows = frame[(frame.model == MODELS[0]) & (frame.recipe == "full") & (frame.threat == "clean") & (frame.benchmark == "digits-linf")]
    scores = [f1_score(part.label, part.predicted, average="macro") for _, part in rows.groupby("seed")]
    assert detail.estimate.value == pytest.approx(sum(scores) / 2)
    assert {d.metric for d in board.details} == {"macro-f1", "ece"}
    assert not next(d for d in board.details if d.metric == "ece").higher_is_better
