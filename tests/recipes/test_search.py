"""Search: what is tried, by what it is chosen, and what is refused."""

from __future__ import annotations

import dataclasses
import importlib.util
import math
import pickle

import pytest
from pydantic import ValidationError
from support.members import equal, with_members

from windtunnel import make_recipe
from windtunnel.errors import RecipeError
from windtunnel.recipes.judging import measured, standing
from windtunnel.recipes.order import validation_batches
from windtunnel.recipes.search import Halving, Search
from windtunnel.recipes.space import changed, drawn, grid
from windtunnel.recipes.supervised import Supervised
from windtunnel.seeding import integer
from windtunnel.threats.corruptions.noise import GaussianNoise

QUICK = Supervised(epochs=3, batch=16)
NOISE = {"use": "gaussian-noise", "severities": [5]}


def test_a_grid_tries_every_combination_and_keeps_the_first_of_the_best(work):
    search = Search(of=[QUICK], space={"lr": [1e-6, 1e-3, 5e-3], "loss.label_smoothing": [0.0, 0.1]})
    material, carried = with_members(work)
    done = search.finetune(material)
    tried = [trial["arguments"] for trial in done.notes["trials"]]
    assert tried == [{"loss.label_smoothing": smoothing, "lr": lr} for smoothing in (0.0, 0.1) for lr in (1e-6, 1e-3, 5e-3)]
    figures = [measured(recipe.finetune(work()).network, material.val, material.device).accuracy for recipe, _ in carried]
    assert [trial["figure"] for trial in done.notes["trials"]] == figures
    assert figures[0] < max(figures)
    best = figures.index(max(figures))
    assert done.notes["chosen"] == done.notes["trials"][best]
    assert done.notes["val_accuracy"] == max(figures)
    alone = carried[best][0].finetune(work())
    assert equal(done.best, alone.best)
    assert (done.curves, done.best_epoch) == (alone.curves, alone.best_epoch)
    assert done.notes["budget"] == {"trials_of_each_recipe": 6, "fine_tunings": 6}
    assert {seed for _, seed in carried} == {0}


def test_the_order_in_which_a_space_is_written_changes_nothing():
    one, other = {"lr": [1, 2], "batch": [3, 4]}, {"batch": [3, 4], "lr": [1, 2]}
    assert grid(one) == grid(other)
    assert drawn(one, 0, 0) == drawn(other, 0, 0)


def test_a_search_over_recipes_gives_each_the_same_trials(work):
    search = Search(
        of=[QUICK, dataclasses.replace(QUICK, optimizer="sgd")], space={"lr": {"low": 1e-4, "high": 1e-1, "log": True}}, sampler="random", trials=2
    )
    material, carried = with_members(work)
    done = search.finetune(material)
    assert [trial["of"] for trial in done.notes["trials"]] == [0, 0, 1, 1]
    assert [recipe.optimizer for recipe, _ in carried] == ["adamw", "adamw", "sgd", "sgd"]
    assert len({recipe.lr for recipe, _ in carried}) == 4
    again, other = (with_members(work, seed)[0] for seed in (0, 1))
    assert search.finetune(again).notes == done.notes
    assert search.finetune(other).notes["trials"] != done.notes["trials"]


def test_draws_stay_in_their_range_and_fill_it():
    space = {
        "rate": {"low": 1e-4, "high": 1e-1, "log": True},
        "share": {"low": 0.0, "high": 1.0},
        "count": {"low": 1, "high": 3},
        "many": {"low": 1, "high": 100, "log": True},
        "word": ["a", "b"],
    }
    found = [drawn(space, 0, number) for number in range(400)]
    rates = [math.log10(each["rate"]) for each in found]
    assert -4 <= min(rates) < -3.9
    assert -1.1 < max(rates) <= -1
    assert sum(rates) / 400 == pytest.approx(-2.5, abs=0.15)
    assert sum(each["share"] for each in found) / 400 == pytest.approx(0.5, abs=0.05)
    assert {each["count"] for each in found} == {1, 2, 3}
    assert {each["word"] for each in found} == {"a", "b"}
    assert sum(each["many"] <= 10 for each in found) / 400 == pytest.approx(0.5, abs=0.07), "half of the decades"
    assert all(isinstance(each["many"], int) for each in found)


def test_halving_trains_all_for_few_epochs_and_the_best_for_all(work):
    search = Search(of=[dataclasses.replace(QUICK, epochs=6)], space={"lr": [1e-7, 1e-6, 1e-5, 5e-3]}, halving={"rungs": 2, "factor": 3})
    material, carried = with_members(work)
    done = search.finetune(material)
    assert [recipe.epochs for recipe, _ in carried] == [2, 2, 2, 2, 6, 6]
    first = done.notes["trials"][:4]
    ranked = sorted(first, key=lambda trial: -trial["figure"])
    assert [trial["arguments"] for trial in done.notes["trials"][4:]] == [trial["arguments"] for trial in ranked[:2]]
    assert {"lr": 5e-3} in [trial["arguments"] for trial in done.notes["trials"][4:]]
    assert done.notes["chosen"] == max(done.notes["trials"][4:], key=lambda trial: trial["figure"])
    assert len(done.curves) == 6
    assert search.passes(30) == pytest.approx(30 * 2 * sum(recipe.epochs for recipe, _ in carried), rel=0.01)


def test_rungs_shrink_trials_and_grow_epochs_by_the_factor():
    assert Halving(rungs=3, factor=3).epochs(27) == (3, 9, 27)
    assert Halving(rungs=3, factor=3).trials(9) == (9, 3, 1)
    assert Halving(rungs=2, factor=4).epochs(2) == (1, 2)


def test_robust_selection_is_by_accuracy_under_the_threats(work):
    search = Search(of=[QUICK], space={"lr": [1e-3, 5e-3]}, select="robust-val", threats=[NOISE])
    material, carried = with_members(work, noise=0.7)
    done = search.finetune(material)
    for (recipe, _), trial in zip(carried, done.notes["trials"], strict=True):
        network, batches = recipe.finetune(work(noise=0.7)).network, validation_batches(material.val, material.device)()
        right = standing(network, batches, [GaussianNoise(severities=[5])], integer(0, "robust-validation"))
        assert trial["figure"] == right / len(material.val)
    assert done.notes["val_accuracy"] == measured(done.network, material.val, material.device).accuracy
    assert [threat.use for threat in search.watched()] == ["gaussian-noise"]


def test_paths_lead_into_parts_stages_and_nested_recipes():
    assert changed(make_recipe("lp-ft"), {"stages.0.epochs": 7}).stages[0].epochs == 7
    assert changed(QUICK, {"loss": {"use": "cross-entropy", "label_smoothing": 0.1}}).loss.label_smoothing == 0.1
    assert changed(make_recipe("wise-ft"), {"alpha": 0.1, "of.lr": 1e-4}).of.lr == 1e-4
    search = make_recipe("search", of="lp-ft", space={"probe_lr": [1e-3]})
    assert search.space == {"stages.0.lr": (1e-3,)}


@pytest.mark.parametrize(
    ("space", "loc", "message"),
    [
        ({}, (), "nothing to search"),
        ({"lr": []}, ("lr",), "the list is empty"),
        ({"lr": 1e-3}, ("lr",), "expected a list of values, or a range"),
        ({"lr": {"low": 1.0, "high": 1.0}}, ("lr", "low"), "low is not below high"),
        ({"lr": {"low": 2, "high": 1}}, ("lr", "low"), "low is not below high"),
        ({"lr": {"low": 0.0, "high": 1.0, "log": True}}, ("lr", "low"), "begins above 0"),
        ({"lr": {"low": 1.0}}, ("lr", "high"), "needs the number 'high'"),
        ({"lr": {"low": 1.0, "high": 2.0, "step": 1}}, ("lr", "step"), "a range has no 'step'"),
        ({"lr": {"low": 1.0, "high": 2.0, "log": 1}}, ("lr", "log"), "expected true or false"),
        ({"lrr": [1]}, ("lrr",), "finetune has no argument 'lrr'. Did you mean 'lr'?"),
        ({"loss.gama": [1]}, ("loss.gama",), "cross-entropy has no argument 'gama'"),
        ({"lr.x": [1]}, ("lr.x",), "lr \\(0.001\\) has no argument 'x'"),
        ({"stages.0.lr": [1]}, ("stages.0.lr",), "has no argument '0'"),
        ({"lr": [1e-3, -1]}, ("lr", 1), "greater than 0"),
        ({"dropout": {"low": 0.0, "high": 1.5}}, ("dropout", "high"), "less than 1"),
    ],
)
def test_a_space_that_cannot_be_searched_is_refused_at_its_place(space, loc, message):
    with pytest.raises(ValidationError, match=message) as caught:
        Search(of=[QUICK], space=space, sampler="random", trials=1)
    assert caught.value.errors()[0]["loc"] == ("space", *loc)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"space": {"lr": {"low": 1e-3, "high": 1e-2}}}, "grid needs a list of values for lr"),
        ({"space": {"lr": [1e-3]}, "sampler": "random"}, "needs a number of `trials`"),
        ({"space": {"lr": [1e-3, 1e-2]}, "trials": 1}, "2 combinations, more than trials: 1"),
        ({"space": {"lr": [1e-3]}, "select": "robust-val"}, "go together"),
        ({"space": {"lr": [1e-3]}, "threats": [NOISE]}, "go together"),
        ({"space": {"epochs": [1, 2]}, "halving": {}}, "must leave alone"),
        ({"of": ["pretrained", QUICK]}, "trains nothing"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(arguments, message):
    with pytest.raises(RecipeError, match=message):
        Search(**{"of": [QUICK], **arguments})


@pytest.mark.parametrize("wrong", [{"trials": 0}, {"halving": {"factor": 1}}, {"sampler": "bayes"}, {"select": "test"}])
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        Search(of=[QUICK], **{"space": {"lr": [1e-3]}, **wrong})


def test_a_trial_that_diverges_or_that_the_recipe_refuses_is_noted_as_failed_and_never_chosen(work):
    search = Search(of=[dataclasses.replace(QUICK, optimizer="sgd")], space={"lr": [1e30, 1e-3], "patience": [None, 2], "select": ["best", "last"]})
    trials = search.finetune(with_members(work)[0]).notes["trials"]
    failed = [trial for trial in trials if "failed" in trial]
    assert [trial["arguments"]["lr"] == 1e30 or trial["arguments"]["patience"] == 2 for trial in failed] == [True] * len(failed)
    assert any("loss became" in trial["failed"] for trial in failed)
    assert any("patience stops" in trial["failed"] for trial in failed)
    chosen = search.finetune(with_members(work)[0]).notes["chosen"]
    assert chosen["arguments"]["lr"] == 1e-3
    assert "figure" in chosen
    with pytest.raises(RecipeError, match=r"Every trial of the search failed.*loss became"):
        Search(of=[dataclasses.replace(QUICK, optimizer="sgd")], space={"lr": [1e30]}).finetune(with_members(work)[0])


def test_it_suits_what_its_recipes_and_threats_suit_and_travels_to_workers():
    search = Search(of=[QUICK], space={"lr": [1e-3]}, select="robust-val", threats=[NOISE])
    assert search.modalities == ("image",)
    assert pickle.loads(pickle.dumps(search)) == search
    assert search.describe()["arguments"]["space"] == {"lr": [1e-3]}
    assert make_recipe("tuned-full", "text").passes(10) == 4 * make_recipe("full", "text").passes(10)


def test_only_oracle_selection_says_that_it_looks_at_test_data():
    assert Search(of=[QUICK], space={"lr": [1e-3]}, select="oracle").needs_oracle
    assert not Search(of=[QUICK], space={"lr": [1e-3]}).needs_oracle


@pytest.mark.skipif(importlib.util.find_spec("optuna") is not None, reason="says what to do where optuna is missing")
def test_without_optuna_its_sampler_says_how_to_get_it():
    with pytest.raises(RecipeError, match=r"pip install 'optuna>=4'"):
        Search(of=[QUICK], space={"lr": [1e-3, 1e-2]}, sampler="tpe", trials=2)


@pytest.mark.skipif(importlib.util.find_spec("optuna") is None, reason="needs optuna")
def test_tpe_makes_its_trials_and_repeats(work):
    space = {"lr": {"low": 1e-5, "high": 1e-2, "log": True}, "batch": {"low": 8, "high": 32}, "schedule": ["cosine", "linear"]}
    search = Search(of=[dataclasses.replace(QUICK, epochs=1)], space=space, sampler="tpe", trials=12)
    first, second = (search.finetune(with_members(work)[0]) for _ in range(2))
    assert len(first.notes["trials"]) == 12
    assert first.notes == second.notes
    assert "optuna" in search.packages()
