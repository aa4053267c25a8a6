"""One entry of a suite that stands for several, and recipes made of recipes in a file."""

from __future__ import annotations

import pytest

from windtunnel import make_recipe

TOP = "suite: mine\nmodels: [windtunnel/micro-resnet]\ndata: digits\nbenchmarks: [own]\nrecipes:\n"


def recipes(workspace, entries: str):
    return workspace.suite(TOP + entries).recipes


def test_values_of_an_argument_become_recipes_that_say_so(workspace) -> None:
    found = recipes(workspace, "  - lp-ft\n  - {use: wise-ft, each: {alpha: [0, 0.25, 1]}}\n")
    assert list(found) == ["lp-ft", "wise-ft alpha=0", "wise-ft alpha=0.25", "wise-ft alpha=1"]
    assert [found[name].alpha for name in list(found)[1:]] == [0, 0.25, 1]
    assert found["wise-ft alpha=0"].of == found["lp-ft"]


def test_several_arguments_are_crossed_beside_those_that_stay(workspace) -> None:
    found = recipes(workspace, "  - {use: full, name: mine, epochs: 3, each: {lr: [1e-3, 1e-2], batch: [8, 16]}}\n")
    assert list(found) == ["mine lr=0.001 batch=8", "mine lr=0.001 batch=16", "mine lr=0.01 batch=8", "mine lr=0.01 batch=16"]
    assert {(each.lr, each.batch, each.epochs) for each in found.values()} == {(lr, batch, 3) for lr in (1e-3, 1e-2) for batch in (8, 16)}


@pytest.mark.parametrize(
    ("entry", "names"),
    [
        ("{use: pgd-at, each: {eps: [4/255]}}", ["pgd-at eps=4/255"]),
        ("{use: full, each: {loss: {label_smoothing: [0.1]}}}", ["full loss.label_smoothing=0.1"]),
        ("{use: full, each: {loss.label_smoothing: [0.1]}}", ["full loss.label_smoothing=0.1"]),
        ("{use: finetune, loss: cross-entropy, each: {loss: {label_smoothing: [0.1]}}}", ["finetune loss.label_smoothing=0.1"]),
        ("{use: finetune, loss: {use: cross-entropy}, each: {loss: {label_smoothing: [0.1]}}}", ["finetune loss.label_smoothing=0.1"]),
        ("{use: full, each: {augment: [[], augmix, [augmix, augmix]]}}", ["full augment=none", "full augment=augmix", "full augment=augmix+augmix"]),
        ("{use: full, each: {patience: [null, 2]}}", ["full patience=none", "full patience=2"]),
        ("{use: full, each: {checkpointing: [true]}}", ["full checkpointing=true"]),
        ("{use: wise-ft, each: {of: [full, {use: lp-ft, lr: 1e-4}]}}", ["wise-ft of=full", "wise-ft of=lp-ft(lr=0.0001)"]),
        ("{use: wise-ft, each: {of: {lr: [1e-4]}}}", ["wise-ft of.lr=0.0001"]),
        ("{use: lp-ft, each: {probe_epochs: [5]}}", ["lp-ft probe_epochs=5"]),
    ],
)
def test_short_names_nested_arguments_and_whole_parts_can_be_crossed(workspace, entry, names) -> None:
    assert list(recipes(workspace, f"  - {entry}\n")) == names


def test_what_is_crossed_arrives(workspace) -> None:
    [found] = recipes(workspace, "  - {use: pgd-at, each: {eps: [4/255]}}\n").values()
    assert found == make_recipe("pgd-at", eps="4/255")
    [found] = recipes(workspace, "  - {use: finetune, loss: cross-entropy, each: {loss: {label_smoothing: [0.1]}}}\n").values()
    assert found.loss.label_smoothing == 0.1
    found = recipes(workspace, "  - {use: wise-ft, each: {of: [full, {use: lp-ft, lr: 1e-4}]}}\n")
    assert [each.of for each in found.values()] == [make_recipe("full"), make_recipe("lp-ft", lr=1e-4)]


@pytest.mark.parametrize(
    ("entry", "column", "message"),
    [
        ("{use: full, each: {lr: [1e-3, -1]}}", 35, "argument 'lr' of full:"),
        ("{use: full, each: {lrr: [1e-3]}}", 24, "full has no argument 'lrr'. Did you mean 'lr'?"),
        ("{use: full, each: {lr: 1e-3}}", 28, "'lr' under 'each' must be a list of values; found 0.001."),
        ("{use: full, each: {lr: []}}", 28, "'lr' under 'each' must be a list of values; found an empty list."),
        ("{use: full, each: [lr]}", 23, "'each' maps arguments to lists of values"),
        ("{use: full, each: {}}", 23, "'each' maps arguments to lists of values"),
        ("{use: full, each: {loss: {label_smoothing: 0.1}}}", 48, "'loss.label_smoothing' under 'each' must be a list of values; found 0.1."),
        ("{use: full, lr: 1e-3, each: {lr: [1e-3]}}", 34, "'lr' is given under 'each' and beside it. Keep one."),
        ("{use: full, each: {lr: [1e-3], name: [a]}}", 36, "'name' is no argument"),
        ("{use: full, each: {lr: [1e-3, 1e-3]}}", 5, "Two recipes are shown as 'full lr=0.001'."),
        ("{use: fulll, each: {lr: [1e-3, 1e-2]}}", 11, "Unknown recipe 'fulll'. Did you mean 'full'?"),
        (
            "{use: full, loss: {use: cross-entropy, label_smoothing: 0}, each: {loss: {label_smoothing: [0]}}}",
            79,
            "'loss.label_smoothing' is given under",
        ),
    ],
)
def test_a_problem_is_placed_and_explained_once(workspace, entry, column, message) -> None:
    [problem] = workspace.suite_problems(TOP + f"  - {entry}\n")
    assert (problem.line, problem.column) == (6, column), problem
    assert problem.message.startswith(message)


def test_too_many_combinations_are_refused(workspace) -> None:
    values = ", ".join(str(number) for number in range(1, 31))
    [problem] = workspace.suite_problems(TOP + f"  - {{use: full, each: {{epochs: [{values}], batch: [{values}]}}}}\n")
    assert "900 combinations; at most 500" in problem.message


def test_an_entry_without_a_name_is_one_problem(workspace) -> None:
    [problem] = workspace.suite_problems(TOP + "  - {each: {lr: [1e-3, 1e-2]}}\n")
    assert "needs the key 'use'" in problem.message


def test_recipes_in_recipes_are_presets_with_short_names(workspace) -> None:
    found = recipes(workspace, "  - {use: wise-ft, of: {use: pgd-at, eps: 4/255}}\n  - {use: greedy-soup, of: [full, {use: full, lr: 1e-4}]}\n")
    assert found["wise-ft"].of == make_recipe("pgd-at", eps="4/255")
    assert found["greedy-soup"].of == (make_recipe("full"), make_recipe("full", lr=1e-4))
    [changed] = recipes(workspace, "  - {use: wise-ft, of: {epochs: 3}}\n").values()
    assert changed.of == make_recipe("lp-ft", epochs=3)


def test_a_space_takes_the_short_names_of_its_recipe(workspace) -> None:
    [found] = recipes(
        workspace, "  - {use: search, of: pgd-at, space: {eps: [4/255, 8/255], lr: {low: 1e-4, high: 1e-2, log: true}}, sampler: random, trials: 3}\n"
    ).values()
    assert found.space == {"perturb.threat.eps": ("4/255", "8/255"), "lr": {"low": 1e-4, "high": 1e-2, "log": True}}


@pytest.mark.parametrize(
    ("entry", "column", "message"),
    [
        ("{use: search, of: full, space: {lrr: [1e-3]}}", 42, "argument 'space' of search: finetune has no argument 'lrr'. Did you mean 'lr'?"),
        ("{use: search, of: full, space: {lr: [1e-3, -1]}}", 48, "argument 'space' of search: input should be greater than 0"),
        ("{use: search, of: full, space: {lr: []}}", 41, "argument 'space' of search: the list is empty"),
        ("{use: search, of: full, space: {lr: {low: 2, high: 1}}, sampler: random, trials: 1}", 47, "argument 'space' of search: the range is empty"),
        ("{use: search, of: pgd-at, space: {eps: [four]}}", 45, "argument 'space' of search: 'four' is not a number"),
        ("{use: search, of: full, space: {lr: [1e-3]}, trials: 0}", 58, "argument 'trials' of search:"),
        ("{use: search, of: full}", 5, "argument 'space' of search: there is nothing to search"),
        ("{use: search, of: fulll, space: {lr: [1e-3]}}", 23, "Unknown recipe 'fulll'"),
        ("{use: wise-ft, of: fulll}", 24, "Unknown recipe 'fulll'"),
        ("{use: wise-ft, of: {use: full, lr: -1}}", 40, "argument 'lr' of full:"),
        ("{use: soup, of: full, seeds: 1}", 34, "soup: One member alone is no soup"),
        ("{use: soup, of: [full, pretrained]}", 21, "soup: A soup averages trainings"),
        (
            "{use: search, of: full, space: {lr: [1e-3]}, select: robust-val, threats: [{use: pgd, eps: 1/255}]}",
            5,
            "search: It is selected by accuracy under pgd",
        ),
        (
            "{use: full, select: {use: threats, threats: [{use: pgd, eps: 1/255}]}}",
            5,
            "full: It is selected by accuracy under pgd, which the benchmark 'own'",
        ),
        ("{use: wise-ft, of: {use: full, select: {use: threats, threats: [{use: pgd, eps: 1/255}]}}}", 5, "wise-ft: It is selected by"),
        (
            "{use: full, select: {use: threats, threats: [{use: torchattacks/PGD, eps: 1/255}]}}",
            5,
            "full: It is selected by accuracy under torchattacks/PGD",
        ),
        ("{use: search, of: full, space: {lr: [1e-3]}, select: oracle}", 5, "search: `select: oracle` looks at test data"),
    ],
)
def test_a_problem_of_a_recipe_in_a_recipe_has_its_place(workspace, entry, column, message) -> None:
    [problem] = workspace.suite_problems(TOP + f"  - {entry}\n")
    assert problem.message.startswith(message), problem
    assert (problem.line, problem.column) == (6, column), problem


def test_threats_that_no_benchmark_has_and_the_training_threat_may_be_looked_at(workspace) -> None:
    found = recipes(
        workspace,
        "  - pgd-at\n  - {use: full, select: {use: threats, threats: [{use: gaussian-noise, severities: [3]}]}}\n",
    )
    assert [threat.use for threat in found["full"].select.watched()] == ["gaussian-noise"]


def test_an_oracle_search_goes_with_an_oracle_suite(workspace) -> None:
    text = TOP.replace("recipes:", "selection: oracle\nrecipes:") + "  - {use: search, of: full, space: {lr: [1e-3]}, select: oracle}\n"
    assert workspace.suite(text).recipes["search"].needs_oracle


def test_a_preset_made_of_itself_is_refused(workspace) -> None:
    workspace.write("recipes/loop.yaml", "recipe: loop\ndoes: Nothing.\nsource: None.\nuse: interpolation\narguments: {of: loop}\n")
    [problem] = workspace.suite_problems(TOP + "  - loop\n")
    assert "The recipe 'loop' is made of itself" in problem.message


def test_a_preset_of_a_users_own_may_be_made_of_what_suits_one_modality(workspace) -> None:
    workspace.write("recipes/wise-at.yaml", "recipe: wise-at\ndoes: A middle.\nsource: None.\nuse: interpolation\narguments: {of: pgd-at}\n")
    assert recipes(workspace, "  - wise-at\n")["wise-at"].of == make_recipe("pgd-at")
