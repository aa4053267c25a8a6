"""The command line as a person meets it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from windtunnel.cli import main
from windtunnel.cli.listing import TABLES

SUITE = """\
suite: tiny
models: [windtunnel/micro-resnet]
data: digits
recipes:
  - {use: linear-probe, epochs: 3}
  - {use: linear-probe, name: longer, epochs: 20}
benchmarks: [small]
"""

BENCHMARK = """\
benchmark: small
version: 1
task: image-classification
data: suite[test]
samples: 40
threats:
  - {use: fgsm, eps: 8/255}
  - {use: contrast, severities: [3]}
headline: worst-case accuracy of fgsm at 8/255
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A user's folder with a suite in it; the module's tests share its store and runs."""
    folder = tmp_path_factory.mktemp("project")
    for kind, name, text in (("suites", "tiny", SUITE), ("benchmarks", "small", BENCHMARK)):
        (folder / kind).mkdir()
        (folder / kind / f"{name}.yaml").write_text(text)
    return folder


@pytest.fixture
def windtunnel(place, monkeypatch, capsys):
    """Run a command in that folder: (exit code, standard output, standard error)."""
    monkeypatch.chdir(place)
    monkeypatch.setenv("WINDTUNNEL_STORE", str(place / "store"))
    monkeypatch.setenv("COLUMNS", "120")

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["windtunnel", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return call


@pytest.fixture
def ran(windtunnel):
    """The suite has run (once; then the store holds it)."""
    code, out, err = windtunnel("run", "tiny", "--workers", "1")
    assert (code, err) == (0, "")
    return out


def test_help_names_every_command_and_says_where_to_begin(windtunnel):
    code, out, _ = windtunnel("--help")
    assert code == 0
    commands = ["run", "plan", "validate", "list", "show", "report", "compare", "gate", "publish", "rebuild", "verify", "fetch", "init", "doctor"]
    assert all(re.search(rf"^\s+{command}\b", out, re.MULTILINE) for command in commands)
    assert "windtunnel run quickstart" in out


def test_a_run_prints_the_leaderboard_and_where_the_report_lies_and_a_second_computes_nothing(ran, windtunnel, place):
    assert "micro-resnet" in ran
    assert "runs/tiny/latest/report.html" in ran
    code, out, _ = windtunnel("run", "tiny")
    assert code == 0
    assert "Nothing to compute: the store holds all 8 cells." in out
    latest = place / "runs" / "tiny" / "latest"
    names = {"leaderboard.json", "leaderboard.csv", "leaderboard.md", "report.html", "outcomes.parquet", "records.jsonl", "manifest.json"}
    assert {path.name for path in latest.iterdir()} == names


def test_a_changed_recipe_computes_its_own_cells_alone(ran, windtunnel, place):
    (place / "suites" / "changed.yaml").write_text(SUITE.replace("suite: tiny", "suite: changed").replace("epochs: 20", "epochs: 21"))
    code, out, _ = windtunnel("run", "changed", "--workers", "1")
    assert code == 0
    assert "4 cells to compute, 4 held by the store." in out


def test_plan_shows_every_cell_and_what_the_store_holds(ran, windtunnel):
    code, out, _ = windtunnel("plan", "tiny")
    assert code == 0
    assert out.count("\nheld ") + out.startswith("held ") == 8
    assert "8 cells: 2 fine-tunings, 6 evaluations; 8 held by the store." in out


def test_report_compare_verify_publish_rebuild_and_gate_work_on_a_run(ran, windtunnel, place):
    assert windtunnel("report", "tiny")[0] == 0
    assert windtunnel("compare", "tiny")[0] == 0
    code, out, _ = windtunnel("verify", "tiny")
    assert (code, "0 wrong" in out) == (0, True)
    assert windtunnel("publish", "tiny", "--to", "reports/tiny")[0] == 0
    published = place / "reports" / "tiny"
    before = {path.name: path.read_bytes() for path in published.iterdir()}
    assert {"index.html", "leaderboard.json", "records.jsonl"} <= before.keys()
    for name in ("index.html", "leaderboard.json"):
        (published / name).unlink()
    assert windtunnel("rebuild", "reports/tiny")[0] == 0
    assert {path.name: path.read_bytes() for path in published.iterdir()} == before
    code, out, _ = windtunnel("gate", "tiny", "--baseline", "reports/tiny", "--summary", "summary.md")
    assert code == 0
    assert (place / "summary.md").read_text().strip() in out


def test_the_gate_fails_on_a_regression_and_cannot_judge_what_is_missing(ran, windtunnel, place):
    worse = SUITE.replace("suite: tiny", "suite: worse").replace("epochs: 20", "epochs: 1, lr: 1e-6")
    (place / "suites" / "worse.yaml").write_text(worse)
    assert windtunnel("run", "worse", "--workers", "1")[0] == 0
    code, out, _ = windtunnel("gate", "worse", "--baseline", "tiny", "--max-drop", "2pp")
    assert code == 1
    assert "longer" in out
    (place / "suites" / "fewer.yaml").write_text(SUITE.replace("suite: tiny", "suite: fewer").replace("  - {use: linear-probe, epochs: 3}\n", ""))
    assert windtunnel("run", "fewer", "--workers", "1")[0] == 0
    assert windtunnel("gate", "fewer", "--baseline", "tiny")[0] == 2


def test_a_failing_cell_exits_3_and_is_in_the_report(windtunnel, place):
    (place / "suites" / "failing.yaml").write_text(
        SUITE.replace("suite: tiny", "suite: failing").replace("epochs: 20", "epochs: 4, lr: 1e12, optimizer: sgd")
    )
    code, out, _ = windtunnel("run", "failing", "--workers", "1")
    assert code == 3
    assert "FAILED" in out
    latest = place / "runs" / "failing" / "latest"
    page = (latest / "report.html").read_text()
    assert "loss became" in page
    rows = [json.loads(line) for line in (latest / "records.jsonl").read_text().splitlines()]
    assert sum(row["status"] == "done" for row in rows) == 4
    code, _, err = windtunnel("publish", "failing", "--to", "reports/failing")
    assert code == 2
    assert "--allow-failed" in err


def test_ctrl_c_keeps_what_is_done_and_says_so(place, tmp_path):
    script = "import sys; from windtunnel.cli import main; sys.argv = ['windtunnel', 'run', 'quickstart', '--store', 'store']; main()"
    process = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert "Looking at" in process.stdout.readline()
    assert "cells to compute" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command goes on from there" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "tinny"], "Did you mean 'tiny'"),
        (["plan", "quickstart.yml"], "There is no file"),
        (["list", "attacks"], "nothing called 'attacks'"),
        (["show", "pgdd"], "Did you mean 'pgd'"),
        (["report", "never-ran"], "windtunnel run never-ran"),
        (["gate", "tiny", "--baseline", "nowhere"], "nowhere"),
        (["validate", "suites/none.yaml"], "none.yaml"),
        (["run", "tiny", "--runner", "laptops"], "laptop"),
    ],
)
def test_a_mistake_is_one_message_without_a_traceback_and_exits_2(arguments, message, windtunnel):
    code, _, err = windtunnel(*arguments)
    assert code == 2
    assert message in err
    assert "Traceback" not in err


def test_all_problems_of_a_suite_come_at_once_with_line_and_column(windtunnel, place):
    wrong = SUITE.replace("epochs: 3", "epoch: 3").replace("data: digits", "data: digit").replace("micro-resnet", "micro-resnt")
    (place / "suites" / "wrong.yaml").write_text(wrong)
    code, _, err = windtunnel("validate", "wrong")
    assert code == 2
    assert "3 problems" in err
    for where, what in (("2:10", "micro-resnet"), ("3:7", "digits"), ("5:25", "epochs")):
        line = next(line for line in err.splitlines() if f"wrong.yaml:{where}" in line)
        assert what in line
    assert windtunnel("run", "wrong")[0] == 2


def test_a_model_that_cannot_be_had_says_what_to_do(windtunnel, place, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (place / "suites" / "absent.yaml").write_text(
        SUITE.replace("suite: tiny", "suite: absent").replace("windtunnel/micro-resnet", "timm/resnet18.a1_in1k")
    )
    code, _, err = windtunnel("run", "absent", "--workers", "1")
    assert code == 2
    assert "timm/resnet18.a1_in1k" in err
    assert "Traceback" not in err


def test_a_store_that_cannot_be_written_is_a_clear_error(windtunnel, place):
    (place / "a-file").write_text("")
    code, _, err = windtunnel("run", "tiny", "--store", "a-file/store", "--workers", "1")
    assert code == 2
    assert "a-file/store" in err
    assert "--store" in err


def test_init_writes_a_suite_that_validates_and_plans_and_never_overwrites(windtunnel, place):
    assert windtunnel("init", "mine")[0] == 0
    assert windtunnel("validate", "my-first", "my-threats", "--catalog", "mine")[0] == 0
    code, out, _ = windtunnel("plan", "my-first", "--catalog", "mine")
    assert code == 0
    assert "6 fine-tunings" in out
    code, _, err = windtunnel("init", "mine")
    assert code == 2
    assert "exists already" in err


@pytest.mark.parametrize("name", [name for table in TABLES.values() for name in table])
def test_show_explains_every_registered_name(name, windtunnel):
    code, out, _ = windtunnel("show", name)
    assert code == 0
    assert "Arguments and defaults" in out
    assert len(out.splitlines()[2]) > 10, "a sentence about it"


def test_doctor_tells_versions_device_and_store(windtunnel, place):
    code, out, _ = windtunnel("doctor")
    assert code == 0
    assert "torch" in out
    assert "device: " in out
    assert str(place / "store") in out


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["list"],
        ["validate", "quickstart", "sentiment-shift"],
        ["plan", "quickstart", "--store", "nowhere"],
        ["plan", "sentiment-shift", "--store", "nowhere"],
        ["show", "textattack/pwws"],
    ],
)
def test_looking_needs_no_torch_and_writes_nothing(arguments, tmp_path):
    script = f"""
import sys
from windtunnel.cli import main
sys.argv = ["windtunnel", *{arguments!r}]
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
heavy = {{"torch", "timm", "sklearn", "pandas", "transformers", "textattack"}} & sys.modules.keys()
assert not heavy, heavy
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []
