"""Headlines: the sentences that are understood, and what is said about others."""

from __future__ import annotations

from fractions import Fraction

import pytest

TEXT = """\
benchmark: own
version: 1
data: digits[test]
threats:
  - {use: fgsm, eps: 8/255}
  - {use: pgd, eps: [2/255, 8/255]}
  - {use: pgd, name: "look at that", norm: L2, eps: 0.5}
  - {use: fog, severities: [1, 3]}
  - {use: jpeg, severities: [3, 5]}
  - {use: shift, data: "mnist5k[test]", name: other-hands}
headline: %s
"""


@pytest.mark.parametrize(
    ("sentence", "how", "threat", "level"),
    [
        ("worst-case accuracy of pgd at 8/255", "worst-case", "pgd", Fraction(8, 255)),
        ("worst-case accuracy of pgd at 0.00784313725490196078431372549", None, None, None),
        ("worst-case accuracy of pgd", "worst-case", "pgd", None),
        ("worst-case accuracy of attacks", "worst-case", "attack", None),
        ("worst-case accuracy of attack", "worst-case", "attack", None),
        ("worst-case accuracy", "worst-case", None, None),
        ("mean accuracy of corruptions", "mean", "corruption", None),
        ("mean accuracy of corruptions at 3", "mean", "corruption", Fraction(3)),
        ("mean accuracy of shift", "mean", "shift", None),
        ("mean accuracy of shifts", "mean", "shift", None),
        ("mean accuracy of other-hands", "mean", "other-hands", None),
        ("mean  accuracy   of fog", "mean", "fog", None),
        ("worst-case accuracy of look at that", "worst-case", "look at that", None),
        ("worst-case accuracy of look at that at 1/2", "worst-case", "look at that", Fraction(1, 2)),
        ("clean accuracy", "mean", "clean", None),
    ],
)
def test_sentences_are_understood(workspace, sentence: str, how: str | None, threat: str | None, level: Fraction | None) -> None:
    if how is None:
        assert "has the levels 2/255, 8/255" in workspace.benchmark_problems(TEXT % sentence)[0].message
        return
    headline = workspace.benchmark(TEXT % sentence).headline
    assert (headline.how, headline.threat, headline.level) == (how, threat, level)
    assert headline.text == " ".join(sentence.split())


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        ("best accuracy of pgd", "The headline 'best accuracy of pgd' is not understood. Write it like"),
        ("worst-case accuracy of pdg at 8/255", "The headline names 'pdg', which the benchmark lacks. Did you mean 'pgd'?"),
        ("worst-case accuracy of pdg", "The headline names 'pdg', which the benchmark lacks. Did you mean 'pgd'?"),
        ("worst-case accuracy of pgd at 4/255", "The headline is at 4/255, but 'pgd' has the levels 2/255, 8/255."),
        ("worst-case accuracy of pgd at noon", "'noon' is not a number"),
        ("mean accuracy of corruptions at 1", "The headline is at 1, but 'jpeg' has the levels 3, 5."),
        ("worst-case accuracy of attacks at 8/255", "The headline is at 8/255, but 'look at that' has the levels 1/2."),
        ("[a]", "A headline is a sentence; found a list."),
        ("3", "A headline is a sentence; found 3."),
    ],
)
def test_other_sentences_are_placed_and_explained(workspace, sentence: str, message: str) -> None:
    [problem] = workspace.benchmark_problems(TEXT % sentence)
    assert (problem.line, problem.column) == (11, 11)
    assert problem.message.startswith(message)


def test_a_family_without_a_member_is_no_choice(workspace) -> None:
    text = "benchmark: own\nversion: 1\ndata: digits[test]\nthreats: [pgd]\nheadline: mean accuracy of corruptions\n"
    [problem] = workspace.benchmark_problems(text)
    assert problem.message == "The headline names 'corruptions', which the benchmark lacks. Choose from: attacks, pgd."


def test_a_worst_case_over_nothing_is_refused(workspace) -> None:
    text = "benchmark: own\nversion: 1\ndata: digits[test]\nthreats: []\nheadline: worst-case accuracy\n"
    [problem] = workspace.benchmark_problems(text)
    assert problem.message.startswith("The benchmark has no threat to rank by.")
