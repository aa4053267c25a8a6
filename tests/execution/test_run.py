"""The whole way from a suite to a run's folder, on real worker processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from support.toy_suite import Misbehaving, benchmark, suite

from windtunnel import make_recipe
from windtunnel.core.record import Record
from windtunnel.core.runner import Runner
from windtunnel.core.suite import Headline, Suite
from windtunnel.execution.run import OUTCOMES, RECORDS, Done, run
from windtunnel.execution.store import Store
from windtunnel.execution.verify import verify
from windtunnel.reporting.report import Report

TESTS = Path(__file__).parents[1]


def go(suite: Suite, place: Path, workers: int = 2, **runner) -> Done:
    return run(suite, store=Store(place / "store"), runs=place / "runs", runner=Runner(workers=workers, device="cpu", **runner))


def contents(done: Done) -> tuple[bytes, bytes]:
    return (done.folder / RECORDS).read_bytes(), (done.folder / OUTCOMES).read_bytes()


def records(done: Done) -> list[Record]:
    return [Record.from_dict(json.loads(line)) for line in (done.folder / RECORDS).read_text().splitlines()]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("two-workers")


@pytest.fixture(scope="module")
def first(place) -> Done:
    return go(suite(), place)


def test_every_cell_leaves_one_record_with_what_a_number_needs(first):
    found = records(first)
    assert (first.computed, first.held, first.failed) == (20, 0, 0)
    assert len(found) == 20
    for record in found:
        assert record.status == "done"
        assert len(record.key) == 64
        if record.kind == "evaluate":
            assert set(record.estimates) == set(record.levels)
            assert all(estimate["accuracy"]["n"] == 24 for estimate in record.estimates.values())
            assert record.cost["forward"] >= 24
            assert 0 < len(record.examples) <= 4
        else:
            assert len(record.curves) in (3, 5)
            assert {"best_epoch", "weights_sha256", "victim_sha256", "preprocessing"} <= record.facts.keys()


def test_the_manifest_says_what_ran_where_and_on_what(first):
    manifest = json.loads((first.folder / "manifest.json").read_text())
    assert manifest["suite"] == "toy"
    assert manifest["data"]["sizes"] == {"train": 60, "val": 30, "test": 30}
    assert manifest["provenance"]["libraries"]["torch"]
    assert manifest["recipe_arguments"]["full"]["arguments"]["epochs"] == 3
    assert [threat["name"] for threat in manifest["benchmarks"][0]["threats"]] == ["pgd", "noise", "contrast"]
    assert len(manifest["cells"]) == 20
    assert (first.folder.parent / "latest").resolve() == first.folder.resolve()


def test_what_was_written_verifies_and_a_forged_figure_does_not(first, place, tmp_path):
    store = Store(place / "store")
    found = verify(first.folder, store)
    assert (found.problems, found.records, found.stored) == ((), 20, 20)
    for name in (RECORDS, OUTCOMES):
        (tmp_path / name).write_bytes((first.folder / name).read_bytes())
    text = (tmp_path / RECORDS).read_text()
    forged = [json.loads(line) for line in text.splitlines()]
    target = next(record for record in forged if record["labels"]["threat"] == "pgd")
    target["estimates"]["8/255"]["accuracy"]["value"] = 0.99
    (tmp_path / RECORDS).write_text("".join(json.dumps(record) + "\n" for record in forged))
    problems = verify(tmp_path, store).problems
    assert any("accuracy at 8/255 is not what its outcomes give" in problem for problem in problems)
    assert any("store holds another record" in problem for problem in problems)


def test_a_second_run_computes_nothing_and_leaves_the_same_bytes(first, place):
    again = go(suite(), place)
    assert (again.computed, again.held, again.failed) == (0, 20, 0)
    assert contents(again) == contents(first)
    assert again.folder != first.folder


def test_one_worker_and_another_order_of_cells_leave_the_same_bytes(first, tmp_path):
    backwards = suite(recipes=dict(reversed(suite().recipes.items())), seeds=(1, 0))
    alone = go(backwards, tmp_path, workers=1)
    assert contents(alone)[0] == contents(first)[0]
    rows = [sorted(_rows(done)) for done in (alone, first)]
    assert rows[0] == rows[1]


def _rows(done: Done) -> list[tuple]:
    import pyarrow.parquet as pq

    return [tuple(row.values()) for row in pq.read_table(done.folder / OUTCOMES).to_pylist()]


def test_only_the_cells_of_a_changed_recipe_are_computed_again(first, place):
    changed = suite(recipes={**suite().recipes, "full": make_recipe("full", epochs=2, batch=16)})
    done = go(changed, place)
    assert (done.computed, done.held) == (10, 10)


def test_a_damaged_entry_is_computed_anew_to_the_same_bytes(first, place):
    victim = next(record for record in records(first) if record.kind == "finetune")
    path = Store(place / "store").folder(victim.key) / "best.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")
    notes = []

    class Listening:
        def note(self, text):
            notes.append(text)

        def planned(self, todo, held): ...
        def started(self, cell): ...
        def advanced(self, cell, done, total): ...
        def learned(self, cell, epoch): ...
        def finished(self, cell, seconds, error): ...

    done = run(suite(), store=Store(place / "store"), runs=place / "runs", runner=Runner(workers=1, device="cpu"), progress=Listening())
    assert (done.computed, done.held) == (1, 19)
    assert contents(done) == contents(first)
    assert any("damaged" in note for note in notes)


def test_failures_are_recorded_and_everything_else_runs(tmp_path):
    """A recipe that explodes, a threat that raises, one that leaves its budget, one that kills its worker and one that never ends."""
    threats = {name: Misbehaving(how=name) for name in ("raise", "exceed", "die", "sleep")}
    broken = suite(
        seeds=(0,),
        recipes={"probe": suite().recipes["probe"], "exploding": make_recipe("full", lr=1e30, optimizer="sgd", epochs=2, batch=16)},
        benchmarks=(benchmark(threats={**benchmark().threats, **threats}),),
    )
    done = go(broken, tmp_path, cell_minutes=0.2)
    by_name = {(record.labels.recipe, record.labels.threat): record for record in records(done)}
    errors = {name: record.error for name, record in by_name.items() if record.status == "failed"}
    assert "no such luck" in errors["probe", "raise"]
    assert "more than its budget" in errors["probe", "exceed"]
    assert "worker process ended" in errors["probe", "die"]
    assert "longer than the runner's limit" in errors["probe", "sleep"]
    assert "loss became" in errors["exploding", ""]
    assert all("could not be fine-tuned" in errors["exploding", threat] for threat in ("clean", "pgd", "noise", "die"))
    assert by_name["probe", "pgd"].status == by_name["probe", "contrast"].status == "done"
    assert done.failed == len(errors) == 4 + 9
    assert done.computed == len(by_name) - len(errors)
    assert any("RuntimeError: no such luck" in path.read_text() for path in done.folder.glob("error-*.txt"))
    assert verify(done.folder, Store(tmp_path / "store")).problems == ()


SCRIPT = """
import sys
from pathlib import Path
if __name__ == "__main__":
    from support.toy_suite import suite
    from windtunnel.core.runner import Runner
    from windtunnel.execution.run import run
    from windtunnel.execution.store import Store
    place = Path(sys.argv[1])
    run(suite(), store=Store(place / "store"), runs=place / "runs", runner=Runner(workers=2, device="cpu"))
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_goes_on_from_the_cells_it_finished_to_the_same_bytes(how, first, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    process = subprocess.Popen([sys.executable, script, tmp_path], env=environment, stderr=subprocess.DEVNULL, start_new_session=True)
    records_done = lambda: len(list((tmp_path / "store" / "entries").glob("*/*/record.json")))  # noqa: E731
    deadline = time.monotonic() + 120
    while records_done() < 3 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(how)
    assert process.wait() != 0
    kept = records_done()
    assert 3 <= kept < 20
    _wait_for_workers(process.pid)
    done = go(suite(), tmp_path)
    assert contents(done) == contents(first)
    assert done.held >= kept


def _wait_for_workers(group: int) -> None:
    """The workers end by themselves once their parent is gone."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError("the workers outlived their parent")


def test_benchmarks_over_the_same_samples_share_the_clean_cell_and_its_rows_stand_once(tmp_path):
    other = benchmark(name="other", threats={"weather": benchmark().threats["contrast"]}, headline=Headline("mean", None, None, "mean accuracy"))
    done = go(suite(seeds=(0,), benchmarks=(benchmark(samples=6), replace(other, samples=6))), tmp_path)
    clean = [record for record in records(done) if record.labels.threat == "clean"]
    assert len(clean) == 4
    assert len({record.key for record in clean}) == 2
    places = [row[:3] for row in _rows(done)]  # key, level, sample
    assert len(set(places)) == len(places)
    report = Report(done.folder)
    report.write()
    for entry in report.leaderboard.entries:
        assert entry.figures["clean"].estimate.n == 6
    assert verify(done.folder, Store(tmp_path / "store")).problems == ()


def test_a_victim_is_fine_tuned_before_it_is_attacked_even_with_many_workers(tmp_path):
    done = go(suite(seeds=(0,), benchmarks=(replace(benchmark(), samples=6),)), tmp_path, workers=4)
    assert done.failed == 0
