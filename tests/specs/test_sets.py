"""Words that stand for several threats, and the names that their members are shown under."""

from __future__ import annotations

from fractions import Fraction

import pytest

from windtunnel.builtins import THREATS
from windtunnel.errors import Problem
from windtunnel.sets import SETS
from windtunnel.specs.nodes import read
from windtunnel.specs.tables import BUILTIN
from windtunnel.specs.threats import Threats, read_threats


def threats(folder, *lines: str) -> tuple[Threats, list[str]]:
    """What a benchmark on texts makes of its threats, and what is wrong with them."""
    path = folder / "own.yaml"
    path.write_text("threats:\n" + "".join(f"  - {line}\n" for line in lines))
    problems: list[Problem] = []
    document, root = read(path, "own.yaml", problems)
    found = read_threats(document, root.value["threats"].value, BUILTIN, "text")
    return found, [problem.message for problem in problems]


@pytest.mark.parametrize("word", SETS)
def test_every_member_of_a_set_is_a_threat_and_no_threat_is_called_like_a_set(word: str) -> None:
    assert word not in THREATS
    assert "common" in SETS[word]
    for members in SETS[word].values():
        assert len(set(members)) == len(members)
        assert all(THREATS.load(name).family == "corruption" for name in members)


def test_a_set_of_perturbations_becomes_its_members(tmp_path) -> None:
    found, problems = threats(tmp_path, "{use: perturbations, set: typos, severities: [1, 5]}")
    assert problems == []
    assert list(found.named) == ["keyboard-typos", "letter-swaps", "letter-deletions", "letter-repeats"]
    assert all(threat.levels == (Fraction(1), Fraction(5)) for threat in found.named.values())


def test_the_set_that_is_not_named_is_the_common_one(tmp_path) -> None:
    assert list(threats(tmp_path, "perturbations")[0].named) == list(SETS["perturbations"]["common"])


def test_the_worst_of_several_draws_is_shown_with_their_number(tmp_path) -> None:
    found, problems = threats(tmp_path, "keyboard-typos", "{use: worst-of, of: keyboard-typos, draws: 8}", "{use: worst-of, of: keyboard-typos}")
    assert problems == []
    assert list(found.named) == ["keyboard-typos", "keyboard-typos, worst of 8", "keyboard-typos, worst of 4"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{use: perturbations, set: typo}", "There is no set of perturbations 'typo'. Did you mean 'typos'?"),
        ("{use: perturbations, name: all}", "A set of perturbations has no 'name' of its own"),
        ("{use: corruptions}", "'corruptions' changes image inputs, but the benchmark's task has text inputs."),
        ("{use: worst-of, of: keyboard-typo}", "argument 'of' of worst-of: Unknown perturbation 'keyboard-typo'. Did you mean 'keyboard-typos'?"),
        ("{use: worst-of}", "worst-of needs the argument 'of'."),
        ("perturbation", "Unknown threat 'perturbation'. Did you mean 'perturbations'?"),
    ],
)
def test_a_wrong_set_or_draw_is_explained_once(tmp_path, line: str, message: str) -> None:
    [problem] = threats(tmp_path, line)[1]
    assert problem.startswith(message)
