"""Training conditions of a suite: what they become, and each way in which they can be wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from windtunnel.registry import Registry
from windtunnel.specs import BUILTIN

TOP = "suite: mine\nmodels: [windtunnel/micro-resnet]\ndata: digits\nrecipes: [full, pretrained]\nbenchmarks: [own]\n"


def lines(conditions: str) -> str:
    return f"{TOP}conditions: {conditions}\n"


def test_without_the_key_recipes_are_trained_on_the_data_as_it_is(workspace) -> None:
    suite = workspace.suite(TOP)
    assert suite.conditions == {}
    assert [(name, each.under) for name, each in suite.trainings.items()] == [("full", None), ("pretrained", None)]


def test_every_recipe_that_trains_is_crossed_with_every_condition(workspace) -> None:
    suite = workspace.suite(lines("[clean, {use: label-noise, rate: 0.4}, {use: few-shot, name: five shots, per_class: 5}]"))
    assert list(suite.conditions) == ["clean", "label-noise 40 %", "five shots"]
    assert suite.conditions["clean"] is None
    assert suite.conditions["five shots"].per_class == 5
    assert list(suite.trainings) == ["full", "full @ label-noise 40 %", "full @ five shots", "pretrained"]
    assert suite.trainings["full @ five shots"].recipe == "full"
    assert suite.source["conditions"][1] == {"use": "label-noise", "rate": 0.4}


def test_a_suite_may_leave_out_the_data_as_it_is(workspace) -> None:
    assert list(workspace.suite(lines("[shortcut]")).trainings) == ["full @ shortcut 95 %", "pretrained"]


def test_a_surrogate_and_a_normaliser_are_entries_of_the_suite(workspace) -> None:
    noisy = lines("[{use: label-noise, name: noisy}]")
    found = workspace.suite(noisy + "normaliser: windtunnel/micro-resnet + full @ noisy\n")
    assert found.source["normaliser"].endswith("@ noisy")
    (problem,) = workspace.suite_problems(noisy + "normaliser: windtunnel/micro-resnet + full\n")
    assert "a recipe (full @ noisy, pretrained) of the suite" in problem.message


@pytest.mark.parametrize(
    ("conditions", "column", "message"),
    [
        ("label-noise", 13, "'conditions' must be a list of conditions; found 'label-noise'."),
        ("[]", 13, "'conditions' is an empty list; give at least one of the conditions."),
        ("[label-nose]", 14, "Unknown condition 'label-nose'. Did you mean 'label-noise'?"),
        ("[cleen]", 14, "Unknown condition 'cleen'. Did you mean 'clean'?"),
        ("[3]", 14, "A condition is a name, or a mapping with 'use' and arguments; found 3."),
        ("[{use: label-noise, rate: 1.5}]", 39, "argument 'rate' of label-noise: input should be less than 1; found 1.5."),
        ("[{use: label-noise, rate: 0}]", 39, "argument 'rate' of label-noise: input should be greater than 0; found 0."),
        ("[{use: label-noise, ratio: 2}]", 33, "label-noise has no argument 'ratio'. Did you mean 'rate'?"),
        ("[{use: imbalance, ratio: 0.5}]", 38, "argument 'ratio' of imbalance: input should be greater than or equal to 1; found 0.5."),
        ("[{use: few-shot, per_class: 0}]", 41, "argument 'per_class' of few-shot: input should be greater than or equal to 1; found 0."),
        ("[{use: label-noise, validation: noisy}]", 45, "argument 'validation' of label-noise: expected 'same' or 'clean'; found 'noisy'."),
        ("[{use: label-noise, mapping: {a: b}}]", 42, "label-noise: a mapping says which class is mistaken for which"),
        ("[shortcut, shortcut]", 24, "Two conditions are shown as 'shortcut 95 %'. Give one of them another 'name'"),
        ("[clean, clean]", 21, "Two conditions are shown as 'clean'."),
        ("[{use: clean, rate: 1}]", 14, "clean is the data as it is; it has no arguments and no other name."),
        ("[{use: shortcut, name: clean}]", 14, "The name 'clean' stands for the data as it is."),
        ("[{use: shortcut, name: a @ b}]", 13, "'a @ b' holds ' @ ', which stands between recipe and condition."),
    ],
)
def test_what_is_wrong_is_reported_at_its_place(workspace, conditions, column, message) -> None:
    (problem,) = workspace.suite_problems(lines(conditions))
    assert message in problem.message
    assert (problem.line, problem.column) == (6, column)


def test_all_problems_are_reported_at_once(workspace) -> None:
    found = workspace.suite_problems(lines("[{use: label-noise, rate: 2}, {use: imbalance, ratio: 0}, few-shots]"))
    assert len(found) == 3


def test_a_condition_for_other_inputs_than_the_datas_is_refused(workspace) -> None:
    table = Registry("condition", "windtunnel.core.condition:Condition", {"shouted": "support.conditions:Shouted"})
    shouting = replace(workspace, tables=replace(BUILTIN, conditions=table))
    (problem,) = shouting.suite_problems(lines("[shouted]"))
    assert (problem.line, problem.column) == (6, 14)
    assert problem.message == "shouted changes text inputs, but the suite's data holds images."
