"""Files are read against the tables given: third-party names, absent packages and other modalities included."""

from __future__ import annotations

import sys
from dataclasses import replace
from fractions import Fraction
from types import ModuleType
from typing import ClassVar

import pytest
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.threat import Family, Threat
from windtunnel.registry import Registry
from windtunnel.specs import BUILTIN


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Typos(Threat):
    """A threat to text."""

    use: ClassVar[str] = "typos"
    family: ClassVar[Family] = "corruption"
    adaptive: ClassVar[bool] = False
    modality: ClassVar[str] = "text"

    @property
    def levels(self) -> tuple[Fraction, ...]:
        return (Fraction(1),)

    def passes(self) -> float:
        return 0.0

    def perturb(self, victim, batch, level, seed):
        return batch.inputs


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Picky(Typos):
    """A threat whose arguments are checked together, after each by itself."""

    use: ClassVar[str] = "picky"
    modality: ClassVar[str] = "image"

    low: int = 0
    high: int = 1
    scale: float = 1.0

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError("low must not be above the other end")
        if self.low == self.high:
            raise TypeError("the range is empty")


@pytest.fixture
def threats(workspace, monkeypatch):
    """A workspace whose only threats are those above, and two that cannot be loaded."""
    toys = ModuleType("windtunnel_toys")
    toys.Typos, toys.Picky = Typos, Picky
    monkeypatch.setitem(sys.modules, "windtunnel_toys", toys)
    (workspace.folder / "needs_more.py").write_text("import a_package_nobody_has\n")
    monkeypatch.syspath_prepend(workspace.folder)
    table = {
        "typos": "windtunnel_toys:Typos",
        "picky": "windtunnel_toys:Picky",
        "heavy": "needs_more:Heavy",
        "gone": "windtunnel_toys:Gone",
    }
    return replace(workspace, tables=replace(BUILTIN, threats=Registry("threat", "windtunnel.core.threat:Threat", table)))


def text(threat: str) -> str:
    return f"benchmark: own\nversion: 1\ndata: digits[test]\nthreats:\n  - {threat}\nheadline: clean accuracy\n"


@pytest.mark.parametrize(
    ("threat", "column", "message"),
    [
        ("typos", 5, "'typos' changes text inputs, but the benchmark's task has image inputs."),
        ("heavy", 5, "The threat 'heavy' is registered as 'needs_more:Heavy', which cannot be loaded"),
        ("gone", 5, "The threat 'gone' is registered as 'windtunnel_toys:Gone', which cannot be loaded"),
        ("pgd", 5, "Unknown threat 'pgd'. Choose from: corruptions, gone, heavy, perturbations, picky, typos."),
        ("{use: picky, low: 3, high: 2}", 23, "picky: low must not be above the other end"),
        ("{use: picky, low: 1}", 5, "picky: the range is empty"),
        ("{use: picky, scale: 'nan'}", 25, "argument 'scale' of picky: NaN has no canonical form."),
        ("{use: picky, low: yes}", 23, "argument 'low' of picky: expected a whole number; found 'yes'."),
        ("{use: picky, low: 1.5}", 23, "argument 'low' of picky: expected a whole number; found 1.5."),
        ("{use: picky, scale: true}", 25, "argument 'scale' of picky: expected a number; found true."),
        ("{use: picky, scale: [1]}", 25, "argument 'scale' of picky: expected a number; found a list."),
    ],
)
def test_a_problem_with_a_name_of_the_table_is_placed_and_explained(threats, threat: str, column: int, message: str) -> None:
    [problem] = threats.benchmark_problems(text(threat))
    assert (problem.line, problem.column) == (5, column)
    assert problem.message.startswith(message)


def test_an_absent_package_is_named_with_the_way_to_get_it(threats) -> None:
    [problem] = threats.benchmark_problems(text("heavy"))
    assert "The package 'a_package_nobody_has' is not installed" in problem.message
    assert "pip install 'windtunnel[vision]'" in problem.message


def test_a_name_of_the_table_is_built_with_its_arguments(threats) -> None:
    found = threats.benchmark(text("{use: picky, low: -3, scale: 2}"))
    assert found.threats["picky"].arguments() == {"low": -3, "high": 1, "scale": 2.0}
