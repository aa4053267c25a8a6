"""Publishing: one folder, complete, rebuilt byte for byte, never half-written."""

from __future__ import annotations

import json
import shutil

import pytest
from support.runs import Plot, write_run

from windtunnel.errors import RecordError
from windtunnel.reporting.folder import RunFolder
from windtunnel.reporting.publish import publish, rebuild, without_paths
from windtunnel.reporting.report import Report

FILES = {"records.jsonl", "outcomes.parquet", "manifest.json", "leaderboard.json", "leaderboard.md", "index.html"}


def records(folder, *, pictures: bool = False):
    found = [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]
    return found if pictures else [{**record, "examples": []} for record in found]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_published_folder_is_rebuilt_byte_for_byte(run, tmp_path):
    folder = publish(run.path, tmp_path / "reports" / "it")
    before = contents(folder)
    assert set(before) == FILES
    for name in ("leaderboard.json", "leaderboard.md", "index.html"):
        (folder / name).unlink()
    rebuild(folder)
    assert contents(folder) == before


def test_what_is_published_says_the_same_as_the_run(run, tmp_path):
    folder = publish(run.path, tmp_path / "it")
    assert records(folder) == records(run.path)
    assert Report(folder).html() == Report(run).html() == (folder / "index.html").read_text()


def test_pictures_of_samples_are_published_of_the_best_and_the_last_entry_alone(run, tmp_path):
    target = publish(run.path, tmp_path / "out")
    board = json.loads((target / "leaderboard.json").read_text())["entries"]
    shown = {(board[place]["model"], board[place]["recipe"]) for place in (0, -1)}
    before, after = records(run.path, pictures=True), records(target, pictures=True)
    assert any(record["examples"] for record in before)
    for one, other in zip(before, after, strict=True):
        assert other == (one if (one["labels"]["model"], one["labels"]["recipe"]) in shown else {**one, "examples": []})


def test_publishing_again_replaces_the_same_suite(run, small, tmp_path):
    folder = publish(run.path, tmp_path / "it")
    (folder / "stray").write_text("x")
    newer = write_run(tmp_path / "newer", Plot(**small, drop={"full": 0.2}))
    publish(newer, folder)
    assert set(contents(folder)) == FILES
    assert records(folder) == records(newer)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["it", "newer"]


def test_another_suite_is_not_overwritten_unless_forced(run, small, tmp_path):
    folder = publish(run.path, tmp_path / "it")
    other = write_run(tmp_path / "other", Plot(**small, name="other"))
    with pytest.raises(RecordError, match=r"holds a report of the suite 'quickstart', not of 'other'.*--force"):
        publish(other, folder)
    assert RunFolder.load(folder).manifest.suite == "quickstart"
    assert RunFolder.load(publish(other, folder, force=True)).manifest.suite == "other"


def test_a_folder_of_something_else_is_not_overwritten(run, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(RecordError, match="holds something that is no published report"):
        publish(run.path, tmp_path / "mine")
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match="is a file"):
        publish(run.path, tmp_path / "file")
    assert (tmp_path / "mine" / "thesis.tex").exists()


def test_a_run_is_not_published_onto_itself(run):
    with pytest.raises(RecordError, match="is the run itself"):
        publish(run.path, run.path, force=True)


def test_failed_cells_are_published_only_when_allowed(broken, tmp_path):
    with pytest.raises(RecordError, match=r"1 of 144 cells .* failed.*--allow-failed"):
        publish(broken.path, tmp_path / "it")
    assert not (tmp_path / "it").exists()
    page = (publish(broken.path, tmp_path / "it", allow_failed=True) / "index.html").read_text()
    assert "Failed cells" in page


def test_a_damaged_run_leaves_nothing_behind(run, tmp_path):
    copy = shutil.copytree(run.path, tmp_path / "copy")
    (copy / "outcomes.parquet").write_bytes(b"PAR1")
    with pytest.raises(RecordError, match=r"outcomes\.parquet"):
        publish(copy, tmp_path / "it")
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_paths_of_the_machine_are_not_published(run, tmp_path):
    copy = shutil.copytree(run.path, tmp_path / "copy")
    body = json.loads((copy / "manifest.json").read_text())
    body["source"]["models"] = ["/home/somebody/nets/mine.pt", "~/nets/other"]
    (copy / "manifest.json").write_text(json.dumps(body))
    published = json.loads((publish(copy, tmp_path / "it") / "manifest.json").read_text())
    assert published["source"]["models"] == ["mine.pt", "other"]
    assert without_paths({"a": ["C:\\Users\\me\\x.csv", "8/255", "windtunnel/micro-vit", 3]}) == {"a": ["x.csv", "8/255", "windtunnel/micro-vit", 3]}


def test_a_report_writes_its_four_files(run, tmp_path):
    report = Report(shutil.copytree(run.path, tmp_path / "copy"))
    page = report.write()
    assert page == tmp_path / "copy" / "report.html"
    assert {"leaderboard.json", "leaderboard.csv", "leaderboard.md", "report.html"} < set(contents(report.path))
    assert not [path for path in report.path.iterdir() if path.name.startswith(".")]
    first = contents(report.path)
    Report(report.path).write()
    assert contents(report.path) == first
    assert "<table>" in report._repr_html_()
    assert "pgd-at" in report._repr_html_()
