"""A user's folder with suites, benchmarks and runners in it, and the problems that reading them brings up."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

from windtunnel.catalog import Catalog
from windtunnel.core.suite import Benchmark, Suite
from windtunnel.errors import Problem, SpecError
from windtunnel.specs import BUILTIN, Tables, load_benchmark, load_suite

SUITE = """\
suite: mine
models: [windtunnel/micro-resnet]
data: digits
recipes: [full]
benchmarks: [own]
"""

BENCHMARK = """\
benchmark: own
version: 1
data: digits[test]
threats: [{use: pgd, eps: [2/255, 8/255]}]
headline: worst-case accuracy of pgd at 8/255
"""


@dataclass(frozen=True)
class Workspace:
    """Files of a user, in a working directory of their own."""

    folder: Path
    tables: Tables = BUILTIN

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else textwrap.dedent(text).encode())
        return path

    def suite(self, text: str | bytes) -> Suite:
        self.write("suites/mine.yaml", text)
        return load_suite("mine", Catalog(), self.tables)

    def benchmark(self, text: str | bytes) -> Benchmark:
        self.write("benchmarks/own.yaml", text)
        return load_benchmark("own", Catalog(), self.tables)

    def suite_problems(self, text: str | bytes) -> list[Problem]:
        with pytest.raises(SpecError, match=r"problem") as caught:
            self.suite(text)
        return list(caught.value.problems)

    def benchmark_problems(self, text: str | bytes) -> list[Problem]:
        with pytest.raises(SpecError, match=r"problem") as caught:
            self.benchmark(text)
        return list(caught.value.problems)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WINDTUNNEL_CATALOG", raising=False)
    found = Workspace(tmp_path)
    found.write("benchmarks/own.yaml", BENCHMARK)
    found.write("suites/mine.yaml", SUITE)
    return found


@pytest.fixture
def suite_text() -> str:
    return SUITE


@pytest.fixture
def benchmark_text() -> str:
    return BENCHMARK
