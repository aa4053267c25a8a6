"""Measures over several cells of an entry, and attacks that show each other up."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from support.runs import BENCHMARKS, Plot, write_run

from windtunnel.core.flag import Flag
from windtunnel.core.sequences import TESTED
from windtunnel.metrics.corruption_error import ALEXNET
from windtunnel.reporting.folder import RunFolder
from windtunnel.reporting.leaderboard import Leaderboard
from windtunnel.reporting.measures import measures
from windtunnel.reporting.report import Report
from windtunnel.reporting.rivals import rivals
from windtunnel.sets import CORRUPTION_SETS

ATTACKS = {
    **BENCHMARKS[0],
    "threats": [
        {"name": "pgd", "use": "pgd", "family": "attack", "levels": ["2/255", "4/255", "8/255"], "norm": "Linf"},
        {"name": "square", "use": "square", "family": "attack", "levels": ["8/255"], "norm": "Linf"},
    ],
    "headline": {"how": "worst-case", "threat": "pgd", "level": "8/255", "text": "worst-case accuracy of pgd at 8/255"},
}
CORRUPTIONS = {
    **BENCHMARKS[1],
    "threats": [
        {"name": name, "use": name, "family": "corruption", "levels": ["1", "2", "3", "4", "5"], "norm": None} for name in CORRUPTION_SETS["common"]
    ],
}
MODEL = "windtunnel/micro-resnet"


def run(folder, normaliser=None, **changes):
    plot = Plot(models=(MODEL,), recipes=("full", "pgd-at"), benchmarks=(ATTACKS, CORRUPTIONS), **changes)
    place = write_run(folder / "run", plot)
    if normaliser:
        body = json.loads((place / "manifest.json").read_text())
        body["source"]["normaliser"] = normaliser
        (place / "manifest.json").write_text(json.dumps(body))
    return RunFolder.load(place)


def named(found, recipe="full"):
    return {measure.name: measure for measure in found if measure.recipe == recipe}


def errors(folder, threat, recipe):
    """The error of one entry under one threat, over seeds, samples and severities."""
    wrong = []
    for seed in folder.manifest.seeds:
        record = folder.cell(MODEL, recipe, seed, "digits-corruptions", threat)
        wrong += [1 - folder.outcomes.slice(record.key, level).correct.mean() for level in record.levels]
    return np.mean(wrong)


def test_mce_is_the_mean_of_errors_in_units_of_alexnets(tmp_path):
    folder = run(tmp_path, "alexnet")
    found = named(measures(folder))["mCE by alexnet"]
    expected = np.mean([errors(folder, name, "full") / error for name, error in ALEXNET.items()])
    assert found.value == pytest.approx(expected, abs=1e-9)
    assert found.low < found.value < found.high
    assert found.higher_is_better is False
    assert named(measures(folder))["relative mCE by alexnet"].value is not None


def test_an_entry_of_the_suite_has_100_by_itself(tmp_path):
    folder = run(tmp_path, f"{MODEL} + full")
    found = measures(folder)
    for name in (f"mCE by {MODEL} + full", f"relative mCE by {MODEL} + full"):
        own = named(found)[name]
        assert (own.value, own.low, own.high) == pytest.approx((1, 1, 1), abs=1e-12)
    expected = np.mean([errors(folder, name, "pgd-at") / errors(folder, name, "full") for name in ALEXNET])
    assert named(found, "pgd-at")[f"mCE by {MODEL} + full"].value == pytest.approx(expected, abs=1e-9)


def test_a_missing_cell_or_severity_or_corruption_refuses_the_figure(tmp_path):
    failed = run(tmp_path / "failed", "alexnet", fail=[(MODEL, "full", 1, "digits-corruptions", "fog")])
    assert "fog on seed 1 failed" in named(measures(failed))["mCE by alexnet"].reason
    assert named(measures(failed))["mCE by alexnet"].value is None
    assert named(measures(failed), "pgd-at")["mCE by alexnet"].value is not None
    few = {**CORRUPTIONS, "threats": CORRUPTIONS["threats"][:14]}
    place = write_run(tmp_path / "few", Plot(models=(MODEL,), recipes=("full",), benchmarks=(few,)))
    body = json.loads((place / "manifest.json").read_text())
    body["source"]["normaliser"] = "alexnet"
    (place / "manifest.json").write_text(json.dumps(body))
    assert "must have these, each once, and no others" in named(measures(RunFolder.load(place)))["mCE by alexnet"].reason
    body["benchmarks"][0]["threats"][0]["levels"] = ["1", "3", "5"]
    (place / "manifest.json").write_text(json.dumps(body))
    assert "all five severities" in named(measures(RunFolder.load(place)))["mCE by alexnet"].reason


SEQUENCES = {
    **BENCHMARKS[0],
    "name": "sequences",
    "threats": [
        {
            "name": name.replace("_", "-"),
            "use": "imagenet-p",
            "family": "shift",
            "levels": [str(number) for number in range(1, 5)],
            "norm": None,
            "arguments": {"perturbation": name, "difficulty": 1},
        }
        for name in TESTED
    ],
    "headline": {"how": "mean", "threat": "shift", "level": None, "text": "mean accuracy of shift"},
}
ENTRY = f"{MODEL} + full"


def sequences(folder, threats=None, source=None, **changes):
    """A run whose answers change along the frames, differently for each cell; and the table they are in."""
    benchmark = {**SEQUENCES, "threats": threats or SEQUENCES["threats"]}
    plot = Plot(models=(MODEL,), recipes=("full", "pgd-at"), samples=20, benchmarks=(benchmark,), **changes)
    # Two names of one cell would share their answers; the arguments tell the cells of real runs apart.
    place = write_run(folder, replace(plot, benchmarks=({**benchmark, "threats": [{**each, "use": each["name"]} for each in benchmark["threats"]]},)))
    body = json.loads((place / "manifest.json").read_text())
    body["source"]["normaliser"] = source or ENTRY
    for threat in body["benchmarks"][0]["threats"]:
        threat["use"] = "imagenet-p"
    (place / "manifest.json").write_text(json.dumps(body))
    table = pd.read_parquet(place / "outcomes.parquet")
    table["predicted"] = [zlib.crc32(f"{row.key}{row.level}{row.sample}".encode()) % 3 for row in table.itertuples()]
    table.to_parquet(place / "outcomes.parquet")
    return RunFolder.load(place), table


def counted(folder, table, recipe, threat):
    """Flips counted one by one, over seeds and sequences."""
    flips, pairs = 0, 0
    for seed in folder.manifest.seeds:
        own = table[table.key == folder.cell(MODEL, recipe, seed, "sequences", threat).key]
        for _, rows in own.groupby("sample"):
            answers = dict(zip(rows.level, rows.predicted, strict=True))
            for number in (2, 3, 4):
                flips += answers[str(number)] != answers["1" if threat.endswith("noise") else str(number - 1)]
                pairs += 1
    return flips / pairs


def test_flips_are_counted_along_the_frames_and_divided_by_those_of_an_entry(tmp_path):
    folder, table = sequences(tmp_path)
    found = measures(folder)
    names = [name.replace("_", "-") for name in TESTED]
    for name in names:
        own = named(found, "pgd-at")[f"flips of {name}"]
        assert own.value == pytest.approx(counted(folder, table, "pgd-at", name))
        assert own.low < own.value < own.high
        assert own.higher_is_better is False
    rate = named(found, "pgd-at")[f"mFR by {ENTRY}"]
    assert rate.value == pytest.approx(np.mean([counted(folder, table, "pgd-at", name) / counted(folder, table, "full", name) for name in names]))
    assert rate.low < rate.value < rate.high
    assert [column.name for column in Leaderboard.of(folder).columns] == ["shift", "clean"]  # all frames of all sequences in one figure
    itself = named(found)[f"mFR by {ENTRY}"]
    assert (itself.value, itself.low, itself.high) == pytest.approx((1, 1, 1), abs=1e-12)
    assert itself.text.startswith("100.0 ")


def test_a_mean_flip_rate_is_refused_without_all_its_cells_or_a_normaliser_that_is_known(tmp_path):
    failed, _ = sequences(tmp_path / "failed", fail=[(MODEL, "pgd-at", 0, "sequences", "tilt")])
    assert "tilt on seed 0 failed" in named(measures(failed), "pgd-at")[f"mFR by {ENTRY}"].reason
    assert "tilt on seed 0 failed" in named(measures(failed), "pgd-at")["flips of tilt"].reason
    assert named(measures(failed), "pgd-at")["flips of snow"].value is not None
    assert named(measures(failed))[f"mFR by {ENTRY}"].value == pytest.approx(1)
    reference, _ = sequences(tmp_path / "reference", fail=[(MODEL, "full", 1, "sequences", "tilt")])
    assert "tilt on seed 1 failed" in named(measures(reference), "pgd-at")[f"mFR by {ENTRY}"].reason
    few, _ = sequences(tmp_path / "few", SEQUENCES["threats"][:9])
    assert "each once, all at one difficulty" in named(measures(few))[f"mFR by {ENTRY}"].reason
    harder = {**SEQUENCES["threats"][9], "arguments": {"perturbation": "scale", "difficulty": 2}}
    mixed, _ = sequences(tmp_path / "mixed", [*SEQUENCES["threats"][:9], harder])
    assert "each once, all at one difficulty" in named(measures(mixed))[f"mFR by {ENTRY}"].reason
    alexnet, _ = sequences(tmp_path / "alexnet", source="alexnet")
    assert "are not in the published code" in named(measures(alexnet))["mFR by alexnet"].reason


def test_areas_medians_and_costs_are_those_of_the_outcomes(tmp_path):
    folder = run(tmp_path)
    found = named(measures(folder))
    standing, smallest = [], []
    for seed in folder.manifest.seeds:
        clean = folder.outcomes.slice(folder.cell(MODEL, "full", seed, "digits-linf", "clean").key, "0").correct
        record = folder.cell(MODEL, "full", seed, "digits-linf", "pgd")
        curve = np.stack([clean, *(folder.outcomes.slice(record.key, level).correct for level in ("2/255", "4/255", "8/255"))])
        standing.append(np.trapezoid(curve.mean(1), [0, 2, 4, 8]) / 8)
        smallest.append(np.where(~clean, 0, np.where(~curve[1], 2 / 255, np.where(~curve[2], 4 / 255, np.where(~curve[3], 8 / 255, np.inf)))))
    assert found["area under pgd"].value == pytest.approx(np.mean(standing))
    assert "area under square" not in found  # one radius makes no curve
    median = np.median(np.median(np.stack(smallest), axis=0))
    assert found["median Linf distance by pgd"].value == pytest.approx(median)
    assert found["passes of pgd a sample"].text == "8"  # 1500 over 200 samples
    assert found["median Linf distance by square"].text.count("8/255") + found["median Linf distance by square"].text.count("0.03137") > 0


def test_measures_are_in_the_page_and_in_the_json(tmp_path):
    folder = run(tmp_path, "alexnet")
    report = Report(folder.path)
    page = report.write().read_text()
    assert "relative mCE by alexnet" in page
    assert "median Linf distance by pgd" in page
    body = json.loads((folder.path / "leaderboard.json").read_text())
    assert {item["measure"] for item in body["measures"]} >= {"mCE by alexnet", "area under pgd"}
    assert all(item["status"] == "done" for item in body["measures"])


def test_a_black_box_attack_that_breaks_more_flags_the_one_with_gradients(tmp_path):
    weak = {**ATTACKS["threats"][0], "levels": ["1/255", "8/255"]}
    honest = run(tmp_path / "honest")
    assert rivals(honest) == {}
    place = write_run(
        tmp_path / "masked", Plot(models=(MODEL,), recipes=("full",), benchmarks=({**ATTACKS, "threats": [weak, ATTACKS["threats"][1]]},))
    )
    folder = RunFolder.load(place)
    masked = _swap(folder)
    found = [flag for flags in rivals(masked).values() for flag in flags]
    assert {flag.name for flag in found} == {"black-box-beats-white-box"}
    assert all("square breaks" in flag.message for flag in found)
    figure = Leaderboard.of(masked).entries[0].figures["headline"]
    assert [each.name for each in figure.flags] == ["black-box-beats-white-box"]


def test_a_transfer_attack_that_breaks_more_has_a_flag_of_its_own(tmp_path):
    transfer = {**ATTACKS["threats"][1], "name": "mi-fgsm", "use": "mi-fgsm", "arguments": {"surrogate": "a + b"}}
    place = write_run(
        tmp_path / "run", Plot(models=(MODEL,), recipes=("full",), benchmarks=({**ATTACKS, "threats": [ATTACKS["threats"][0], transfer]},))
    )
    flags = {flag.name for flags in rivals(_swap(RunFolder.load(place))).values() for flag in flags}
    assert flags == {"transfer-beats-white-box"}


def _swap(folder: RunFolder) -> RunFolder:
    """The run as if pgd had left at 8/255 what it leaves at its smallest radius: an attack whose gradients lead nowhere."""
    read = folder.outcomes
    keys = {record.key: record.levels[0] for record in folder.records if record.labels.threat == "pgd"}

    class Masked:
        """Outcomes in which pgd does not get further than its first radius."""

        ids, names = read.ids, read.names

        def slice(self, key, level):
            return read.slice(key, keys.get(key, level) if level == "8/255" else level)

    swapped = replace(folder)
    swapped.__dict__["outcomes"] = Masked()
    return swapped


def test_flags_of_the_run_itself_stay(tmp_path):
    folder = run(tmp_path)
    record = replace(folder.records[0], flags=({"name": "zero-gradients", "message": "m"},))
    assert folder.flags(record) == (Flag("zero-gradients", "m"),)
