"""The gate: passes what did not drop, fails what did, and says so where it cannot tell."""

from __future__ import annotations

import json
import shutil

import pytest
from support.runs import BENCHMARKS, MODELS, Plot, write_run

from windtunnel.errors import RecordError, UnknownNameError
from windtunnel.reporting.gate import gate, parse_drop
from windtunnel.reporting.publish import publish

ENTRY = f"{MODELS[0]}/full"


@pytest.fixture
def copy(run, tmp_path):
    return shutil.copytree(run.path, tmp_path / "copy")


def change_manifest(folder, change):
    body = json.loads((folder / "manifest.json").read_text())
    change(body)
    (folder / "manifest.json").write_text(json.dumps(body))
    return folder


@pytest.mark.parametrize(
    ("text", "drop"), [("2pp", 0.02), ("2 pp", 0.02), ("2%", 0.02), ("0.02", 0.02), (".5pp", 0.005), ("0", 0), ("1", 1), ("100%", 1)]
)
def test_a_drop_is_read_in_percentage_points_or_as_a_share(text, drop):
    assert parse_drop(text) == pytest.approx(drop)


@pytest.mark.parametrize("text", ["", "pp", "two", "-1pp", "2 per cent", "nan", "1e-2", "2ppp", "٢pp"])
def test_anything_else_is_no_drop(text):
    with pytest.raises(RecordError, match="is no drop"):
        parse_drop(text)


def test_a_number_above_one_was_meant_in_percentage_points():
    with pytest.raises(RecordError, match=r'Did you mean "2pp"\?'):
        parse_drop("2")
    with pytest.raises(RecordError, match="more than everything"):
        parse_drop("101pp")


def test_a_run_passes_against_itself(run):
    verdict = gate(run.path, run.path, 0.0)
    assert (verdict.status, verdict.exit_code) == ("passed", 0)
    assert len(verdict.rows) == 6 * 5
    assert all(row.difference.value == 0 for row in verdict.rows)
    assert "✅" in verdict.markdown


def test_a_real_drop_is_a_regression(run, small, tmp_path):
    worse = write_run(tmp_path / "worse", Plot(**small, drop={"pgd-at": 2.5}))
    verdict = gate(worse, run.path, parse_drop("2pp"))
    assert verdict.exit_code == 1
    fallen = [row for row in verdict.rows if row.status == "regression"]
    assert {row.entry for row in fallen} == {f"{model}/pgd-at" for model in MODELS}
    assert all(row.difference.value < -0.02 and row.corrected < 0.05 and row.difference.high < 0 for row in fallen)
    assert "Robustness gate: regression" in verdict.markdown
    assert "pgd-at" in verdict.markdown


def test_a_gain_passes(run, small, tmp_path):
    better = write_run(tmp_path / "better", Plot(**small, drop={"pgd-at": -1.0}))
    assert gate(better, run.path, 0.0).exit_code == 0


def test_a_real_drop_within_the_bound_passes(run, small, tmp_path):
    worse = write_run(tmp_path / "worse", Plot(**small, drop={"pgd-at": 2.5}))
    assert gate(worse, run.path, 1.0).exit_code == 0


def test_a_drop_that_may_be_chance_cannot_be_judged(small, tmp_path):
    few = {**small, "samples": 25, "models": MODELS[:1], "recipes": ("full", "pgd-at")}
    then = write_run(tmp_path / "then", Plot(**few))
    now = write_run(tmp_path / "now", Plot(**few, drop={"full": 0.35}))
    verdict = gate(now, then, 0.0)
    assert verdict.exit_code == 2
    row = next(row for row in verdict.rows if row.status == "cannot-judge")
    assert "may be chance" in row.reason
    assert "samples would show it (there are 25)" in row.reason or "training seeds" in row.reason


def test_a_failed_cell_never_passes(run, broken):
    verdict = gate(broken.path, run.path, 1.0)
    assert verdict.exit_code == 2
    stuck = [row for row in verdict.rows if row.status == "cannot-judge"]
    assert {(row.entry, row.column.name) for row in stuck} == {(f"{MODELS[1]}/full", "headline"), (f"{MODELS[1]}/full", "attack")}
    assert "in the run, apgd on seed 1 failed" in stuck[0].reason
    assert "in the baseline" in gate(run.path, broken.path, 1.0).markdown


def test_a_regression_outweighs_what_cannot_be_judged(run, small, tmp_path):
    fail = [(MODELS[0], "full", 0, "digits-linf", "apgd")]
    worse = write_run(tmp_path / "worse", Plot(**small, drop={"pgd-at": 2.5}, fail=fail))
    assert gate(worse, run.path, 0.02).exit_code == 1


def test_an_entry_that_is_gone_cannot_be_judged(run, small, tmp_path):
    fewer = write_run(tmp_path / "fewer", Plot(**{**small, "recipes": ("full", "pgd-at")}))
    verdict = gate(fewer, run.path, 0.5)
    assert verdict.exit_code == 2
    assert {row.reason for row in verdict.rows if row.status == "cannot-judge"} == {"the run has no such entry"}


def test_an_entry_that_is_new_is_noted_and_not_judged(run, small, tmp_path):
    more = write_run(tmp_path / "more", Plot(**{**small, "recipes": (*small["recipes"], "lp-ft")}))
    verdict = gate(more, run.path, 0.5)
    assert verdict.exit_code == 0
    assert any("lp-ft" in note for note in verdict.notes)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda body: body["benchmarks"][0].update(version=2), "is version 2, the baseline's is version 1"),
        (lambda body: body["benchmarks"][0]["threats"][1].update(norm="L2"), "other arguments"),
        (lambda body: body["benchmarks"][0]["threats"][1].update(levels=["2/255", "4/255"]), "other threats or levels"),
        (lambda body: body["benchmarks"].pop(1), "no benchmark digits-corruptions"),
        (lambda body: body.update(seeds=[0]), "lacks the baseline's training seed 1"),
    ],
)
def test_another_benchmark_cannot_be_judged(run, copy, change, reason):
    verdict = gate(change_manifest(copy, change), run.path, 1.0)
    assert verdict.exit_code == 2
    assert any(reason in row.reason for row in verdict.rows)


def test_other_samples_cannot_be_judged(run, small, tmp_path):
    other = write_run(tmp_path / "other", Plot(**{**small, "samples": 61}))
    verdict = gate(other, run.path, 1.0)
    assert verdict.exit_code == 2
    assert "60 of the baseline's 60 are the same" in verdict.rows[0].reason


def test_other_labels_cannot_be_judged(run, small, tmp_path):
    relabelled = [{**benchmark, "data": "digits[other]"} for benchmark in BENCHMARKS]
    folder = write_run(tmp_path / "other", Plot(**small, benchmarks=relabelled))
    verdict = gate(folder, run.path, 1.0)
    assert {row.reason for row in verdict.rows} == {"the same samples carry other labels"}


def test_a_named_entry_is_the_baseline_of_its_namesake(run):
    verdict = gate(run.path, f"{run.path}#{ENTRY}", 0.0)
    assert verdict.exit_code == 0
    assert {row.entry for row in verdict.rows} == {ENTRY}


def test_one_entry_may_be_held_against_another(run):
    verdict = gate(f"{run.path}#{MODELS[0]}/linear-probe", f"{run.path}#{MODELS[0]}/pgd-at", 0.02)
    assert verdict.exit_code == 1
    assert {row.entry for row in verdict.rows} == {f"{MODELS[0]}/linear-probe"}


def test_an_unknown_entry_is_named_with_a_suggestion(run):
    with pytest.raises(UnknownNameError, match="Did you mean"):
        gate(run.path, f"{run.path}#{MODELS[0]}/ful", 0.0)


def test_a_published_folder_is_a_baseline(run, tmp_path):
    assert gate(run.path, publish(run.path, tmp_path / "reports" / "it"), 0.0).exit_code == 0


def test_what_else_changed_is_noted(run, copy):
    def change(body):
        body["provenance"]["libraries"]["torch"] = "9.9"
        body["data"]["fingerprint"] = "f" * 64

    notes = " ".join(gate(change_manifest(copy, change), run.path, 0.0).notes)
    assert "torch 2.14.0 → 9.9" in notes
    assert "fingerprint" in notes
