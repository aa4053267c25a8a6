"""A run's folder is read whole, or refused with the file named."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.runs import MODELS

from windtunnel.errors import RecordError
from windtunnel.reporting.folder import RunFolder


@pytest.fixture
def copy(run, tmp_path):
    return shutil.copytree(run.path, tmp_path / "copy")


def test_a_cell_is_found_by_its_names(run):
    record = run.cell(MODELS[0], "full", 1, "digits-linf", "apgd")
    assert (record.status, record.levels) == ("done", ("2/255", "4/255", "8/255"))
    assert run.cell(MODELS[0], "full", 7, "digits-linf", "apgd") is None
    assert run.finetuning(MODELS[0], "full", 0).kind == "finetune"


def test_a_slice_holds_exactly_the_rows_of_its_cell_and_level(run):
    record = run.cell(MODELS[0], "pgd-at", 0, "digits-linf", "apgd")
    table = pq.read_table(run.path / "outcomes.parquet").to_pylist()
    rows = sorted((row for row in table if (row["key"], row["level"]) == (record.key, "4/255")), key=lambda row: row["sample"])
    cut = run.outcomes.slice(record.key, "4/255")
    assert run.outcomes.names(cut.samples) == tuple(row["sample"] for row in rows)
    assert cut.predicted.tolist() == [row["predicted"] for row in rows]
    assert cut.labels.tolist() == [row["label"] for row in rows]
    assert np.allclose(cut.confidence, [row["confidence"] for row in rows])
    assert run.outcomes.slice(record.key, "3/255") is None
    assert run.outcomes.slice("no such key", "4/255") is None


def test_the_order_of_rows_in_the_table_does_not_matter(run, copy):
    table = pq.read_table(copy / "outcomes.parquet")
    moved = table.take(np.random.default_rng(0).permutation(table.num_rows))
    pq.write_table(moved, copy / "outcomes.parquet", row_group_size=1000)
    other = RunFolder.load(copy)
    for record in run.records[:20]:
        for level in record.levels:
            one, two = run.outcomes.slice(record.key, level), other.outcomes.slice(record.key, level)
            assert np.array_equal(one.predicted, two.predicted)
            assert run.outcomes.names(one.samples) == other.outcomes.names(two.samples)


def test_rows_written_twice_count_once(run, copy):
    table = pq.read_table(copy / "outcomes.parquet")
    pq.write_table(pa.concat_tables([table, table]), copy / "outcomes.parquet")
    record = run.cell(MODELS[0], "full", 0, "digits-linf", "clean")
    assert len(RunFolder.load(copy).outcomes.slice(record.key, "0").samples) == 60


@pytest.mark.parametrize("name", ["manifest.json", "records.jsonl", "outcomes.parquet"])
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()
    with pytest.raises(RecordError, match=rf"{name} .*missing"):
        RunFolder.load(copy)


@pytest.mark.parametrize("name", ["manifest.json", "records.jsonl", "outcomes.parquet"])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"PAR1garbagePAR1"])
def test_a_damaged_file_is_named(copy, name, content):
    (copy / name).write_bytes(content)
    if (name, content) == ("records.jsonl", b""):
        assert RunFolder.load(copy).records == ()
        return
    with pytest.raises(RecordError, match=name):
        RunFolder.load(copy).outcomes  # noqa: B018  # the table is read when first asked for


def test_a_truncated_table_is_named(copy):
    content = (copy / "outcomes.parquet").read_bytes()
    (copy / "outcomes.parquet").write_bytes(content[: len(content) // 2])
    with pytest.raises(RecordError, match=r"outcomes\.parquet is damaged"):
        RunFolder.load(copy).outcomes  # noqa: B018


def test_a_table_with_other_columns_is_refused(copy):
    pq.write_table(pq.read_table(copy / "outcomes.parquet").drop_columns(["label"]), copy / "outcomes.parquet")
    with pytest.raises(RecordError, match="lacks the columns label"):
        RunFolder.load(copy).outcomes  # noqa: B018


@pytest.mark.parametrize(
    ("change", "message"),
    [({"schema": 99}, "schema 99"), ({"seeds": None}, "type"), ({"benchmarks": [{"name": "x"}]}, "missing"), ({"data": "digits"}, "type")],
)
def test_a_manifest_of_another_shape_is_refused(copy, change, message):
    body = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps({**body, **change}))
    with pytest.raises(RecordError, match=message):
        RunFolder.load(copy)


def test_a_record_of_another_schema_is_refused_with_its_line(copy):
    lines = (copy / "records.jsonl").read_text().splitlines()
    lines[2] = json.dumps({**json.loads(lines[2]), "schema": 2})
    (copy / "records.jsonl").write_text("\n".join(lines))
    with pytest.raises(RecordError, match=r"records\.jsonl:3 .*schema 2"):
        RunFolder.load(copy)


def test_the_folder_above_the_runs_points_to_the_latest(run, tmp_path):
    (tmp_path / "latest").symlink_to(run.path)
    with pytest.raises(RecordError, match=r"several runs.*latest"):
        RunFolder.load(tmp_path)
    assert RunFolder.load(tmp_path / "latest").manifest.suite == "quickstart"
    with pytest.raises(RecordError, match="no folder"):
        RunFolder.load(tmp_path / "nowhere")
