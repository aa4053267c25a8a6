"""Runner files."""

from __future__ import annotations

import pytest

from windtunnel.catalog import Catalog
from windtunnel.core.runner import Runner
from windtunnel.errors import SpecError
from windtunnel.specs import load_runner


def test_a_runner_is_read_with_its_defaults(workspace) -> None:
    workspace.write("runners/bare.yaml", "runner: bare\n")
    assert load_runner("bare", Catalog()) == Runner(name="bare")


def test_every_key_arrives(workspace) -> None:
    workspace.write("runners/full.yaml", "runner: full\nengine: local\nworkers: 3\ndevice: cpu\ncell-minutes: 0.5\nmemory-gb: 4\n")
    assert load_runner("full", Catalog()) == Runner(name="full", workers=3, device="cpu", cell_minutes=0.5, memory_gb=4.0)


def test_no_limit_may_be_written_as_null(workspace) -> None:
    workspace.write("runners/free.yaml", "runner: free\ncell-minutes: null\n")
    assert load_runner("free", Catalog()).cell_minutes is None


def test_all_problems_are_reported_at_once(workspace) -> None:
    workspace.write("runners/bad.yaml", "runner: [x]\nengine: rya\nworkers: -1\ndevice: tpu\ncell-minutes: 0\nmemory-gb: much\nmemory_gb: 3\n")
    with pytest.raises(SpecError, match="7 problems") as caught:
        load_runner("bad", Catalog())
    assert [(each.line, each.column, each.message) for each in caught.value.problems] == [
        (1, 9, "'runner' must be text; found a list."),
        (2, 9, "'engine' must be one of local; found 'rya'."),
        (3, 10, "'workers' must be a whole number of at least 0; found -1."),
        (4, 9, "'device' must be one of auto, cpu, cuda, mps; found 'tpu'."),
        (5, 15, "'cell-minutes' must be a number above 0; found 0."),
        (6, 12, "'memory-gb' must be a number above 0; found 'much'."),
        (
            7,
            1,
            "A runner has no key 'memory_gb'. Did you mean 'memory-gb'? Choose from: cell-minutes, device, engine, memory-gb, runner, workers.",
        ),
    ]


def test_an_empty_file_is_one_problem(workspace) -> None:
    workspace.write("runners/empty.yaml", "")
    with pytest.raises(SpecError, match=r"runners/empty\.yaml:1:1: The file is empty\."):
        load_runner("empty", Catalog())
