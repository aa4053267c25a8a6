from __future__ import annotations

from dataclasses import replace

import pytest
from support.small import Stripes, Tiny
from support.toy_suite import benchmark, suite

from windtunnel import make_recipe
from windtunnel.errors import DataError
from windtunnel.execution.facts import DataFacts, Facts, ModelFacts, remember
from windtunnel.execution.plan import plan, sources
from windtunnel.execution.store import Store
from windtunnel.execution.work import Finetune
from windtunnel.threats.gradient.pgd import PGD


@pytest.fixture(scope="module")
def facts(tmp_path_factory) -> Facts:
    store = Store(tmp_path_factory.mktemp("store"))
    for source in (Stripes(), Stripes(noise=0.2)):
        remember(store, source, DataFacts.of(source.load()), 0)
    for model in (Tiny(), Tiny(name="other")):
        remember(store, model, ModelFacts.of(model.load()), 0)
    return Facts(store)


def keys(facts, **changes) -> dict[str, str]:
    return {str(cell.labels): cell.key for cell in plan(suite(**changes), facts).cells}


def test_a_suite_becomes_one_fine_tuning_and_its_evaluations_for_each_model_recipe_and_seed(facts):
    planned = plan(suite(), facts)
    assert planned.complete
    assert len(planned.cells) == 2 * 2 * (1 + 1 + 3)  # recipes, seeds, victim, clean, threats
    assert len({cell.key for cell in planned.cells}) == len(planned.cells)
    assert [cell.labels.threat for cell in planned.cells[:5]] == ["", "clean", "pgd", "noise", "contrast"]
    assert all(cell.passes > 0 for cell in planned.cells)


def test_keys_are_the_same_in_every_plan_and_whatever_things_are_called(facts):
    first = plan(suite(), facts).cells
    renamed = suite(name="x", recipes={"a": suite().recipes["probe"], "b": suite().recipes["full"]}, benchmarks=(benchmark(name="y", version=9),))
    assert [cell.key for cell in plan(renamed, facts).cells] == [cell.key for cell in first]


def test_a_changed_recipe_changes_its_own_cells_alone(facts):
    before = keys(facts)
    after = keys(facts, recipes={**suite().recipes, "full": make_recipe("full", epochs=3, batch=16, lr=2e-3)})
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {name for name in before if "· full ·" in name}


def test_a_changed_threat_changes_its_own_evaluations_alone(facts):
    before = keys(facts)
    after = keys(facts, benchmarks=(benchmark(threats={**benchmark().threats, "pgd": PGD(eps=["2/255", "8/255"], steps=5)}),))
    assert {name for name in before if before[name] != after[name]} == {name for name in before if name.endswith("pgd")}


@pytest.mark.parametrize(
    "change",
    [
        {"data": Stripes(noise=0.2)},
        {"models": {"tiny": Tiny(name="other")}},
        {"threads": 2},
        {"samples": 30},
        {"val_samples": 15},
        {"selection": "oracle"},
    ],
)
def test_everything_that_moves_a_number_changes_every_key(change, facts):
    assert set(keys(facts).values()).isdisjoint(keys(facts, **change).values())


@pytest.mark.parametrize("change", [{"seed": 1}, {"samples": 12}])
def test_the_samples_and_draws_of_a_benchmark_change_its_evaluations(change, facts):
    before, after = keys(facts), keys(facts, benchmarks=(replace(benchmark(), **change),))
    same = {name for name in before if before[name] == after[name]}
    assert same == {name for name in before if "toy-threats" not in name}


def test_the_versions_of_the_libraries_and_the_implementation_are_in_the_key(facts):
    cell = plan(suite(), facts).cells[2]
    assert {"torch", "numpy"} <= cell.content["libraries"].keys()
    assert cell.content["threat"]["version"] == PGD.version
    assert cell.content["threat"]["arguments"]["eps"] == ["2/255", "8/255"]


def test_without_facts_cells_have_no_key_yet_but_are_planned(tmp_path):
    planned = plan(suite(), Facts(Store(tmp_path / "empty")))
    assert not planned.complete
    assert {cell.key for cell in planned.cells} == {""}
    assert len(planned.cells) == 20
    assert not (tmp_path / "empty").exists(), "planning writes nothing"


def test_more_samples_than_there_are_is_an_error_that_says_how_many_there_are(facts):
    with pytest.raises(DataError, match=r"stripes\[test\] has 30 samples, fewer than the 31 asked for"):
        plan(suite(benchmarks=(benchmark(samples=31),)), facts)


def test_recipes_select_on_a_stratified_part_of_the_split_where_the_suite_says_so(facts):
    [whole] = {work.val.count for work in plan(suite(), facts).work if isinstance(work, Finetune)}
    [part] = {work.val.indices for work in plan(suite(val_samples=15), facts).work if isinstance(work, Finetune)}
    assert (whole, len(part)) == (30, 15)
    assert sorted(row % 3 for row in part) == [0] * 5 + [1] * 5 + [2] * 5
    with pytest.raises(DataError, match=r"stripes\[val\] has 30 samples, fewer than the 31 asked for. .* or leave `val_samples` out"):
        plan(suite(val_samples=31), facts)


def test_every_source_is_named_once():
    found = list(sources(suite(models={"a": Tiny(), "b": Tiny(), "c": Tiny(name="other")})))
    assert [source.use for source in found] == ["stripes", "tiny", "tiny"]
