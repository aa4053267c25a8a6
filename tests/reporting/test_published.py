"""What is committed under reports/ is what its records give."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from windtunnel.execution.store import Store
from windtunnel.execution.verify import verify
from windtunnel.reporting.publish import rebuild

PUBLISHED = sorted(path for path in (Path(__file__).parents[2] / "reports").iterdir() if path.is_dir())


@pytest.mark.parametrize("folder", PUBLISHED, ids=lambda path: path.name)
def test_a_committed_report_rebuilds_byte_for_byte_and_its_records_verify(folder, tmp_path):
    copy = tmp_path / folder.name
    shutil.copytree(folder, copy)
    for name in ("index.html", "leaderboard.json", "leaderboard.md"):
        (copy / name).unlink()
    rebuild(copy)
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == {path.name: path.read_bytes() for path in folder.iterdir()}
    assert verify(copy, Store(tmp_path / "no-store")).problems == ()


def test_something_is_published():
    assert PUBLISHED
