"""Several settings of a head, trained as one: each is what it is alone, bit for bit."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from support.members import equal, with_members

from windtunnel import make_recipe
from windtunnel.core.recipe import together
from windtunnel.errors import RecipeError
from windtunnel.recipes import stages
from windtunnel.recipes.search import Search
from windtunnel.recipes.supervised import Supervised

PROBE = Supervised(scope={"use": "head"}, epochs=4, batch=16, lr=1e-2)
SETTINGS = [
    {"lr": 1e-3},
    {"lr": 3e-2, "weight_decay": 0.0},
    {"schedule": "linear", "warmup": 0.3},
    {"schedule": "constant", "weight_decay": 0.5},
    {"lr": 0.5, "warmup": 0.0},
]


def alike(one, other) -> None:
    assert (one.curves, one.best_epoch, one.notes) == (other.curves, other.best_epoch, other.notes)
    assert equal(one.best, other.best)
    assert equal(one.last, other.last)
    assert equal(dict(one.network.state_dict()), one.best)
    assert not one.network.training


@pytest.mark.parametrize(
    "base",
    [
        {},
        {"batch": 7, "dropout": 0.4},
        {"loss": {"use": "cross-entropy", "label_smoothing": 0.2}, "batch": 60},
        {"loss": "logit-adjusted", "batch": 1, "epochs": 1},
        {"select": "last", "head_seed": 3, "batch": 59},
        {"clean": ["confident-learning"], "batch": 13},
    ],
)
def test_each_is_what_it_is_alone(work, base):
    recipes = [dataclasses.replace(make_recipe("finetune", **{**dataclasses_of(PROBE), **base}), **setting) for setting in SETTINGS]
    assert together([(recipe, 0) for recipe in recipes]) == [[0, 1, 2, 3, 4]]
    found = list(recipes[0].finetune_together(recipes, work(noise=0.5)))
    assert len({done.curves[-1].train_loss for done in found}) == len(SETTINGS), "the settings make a difference"
    for recipe, done in zip(recipes, found, strict=True):
        alike(done, recipe.finetune(work(noise=0.5)))


def test_many_are_trained_a_part_at_a_time(work, monkeypatch):
    recipes = [dataclasses.replace(PROBE, **setting) for setting in SETTINGS]
    whole = list(recipes[0].finetune_together(recipes, work()))
    monkeypatch.setattr(stages, "AT_ONCE", 2 * 3 * 24)
    for one, other in zip(whole, recipes[0].finetune_together(recipes, work()), strict=True):
        alike(one, other)


def test_where_the_optimiser_of_one_head_is_another_each_is_left_to_be_trained_alone(work):
    material = dataclasses.replace(work(), device=torch.device("mps"))
    assert list(PROBE.finetune_together([PROBE, dataclasses.replace(PROBE, lr=1e-3)], material)) == [None, None]


def dataclasses_of(recipe: Supervised) -> dict:
    return {"scope": "head", "epochs": recipe.epochs, "batch": recipe.batch, "lr": recipe.lr}


@pytest.mark.parametrize(("features", "classes", "batch"), [(128, 10, 64), (384, 2, 63), (33, 5, 17), (7, 3, 8), (1, 2, 2), (513, 101, 31)])
def test_a_step_is_that_of_autograd_and_the_fused_optimizer(features, classes, batch):
    """Sizes of which few are multiples of what a processor takes at once."""
    from windtunnel.core.part import Fitting, Minibatch
    from windtunnel.recipes.heads import Heads
    from windtunnel.recipes.losses.cross_entropy import CrossEntropy
    from windtunnel.seeding import generator

    draws = generator(0, "heads", features)
    inputs = torch.from_numpy(draws.standard_normal((3 * batch, features))).float()
    labels = torch.from_numpy(draws.integers(classes, size=3 * batch))

    def batches(epoch):
        return (Minibatch(inputs[rows], labels[rows], ("",) * batch) for rows in np.arange(3 * batch).reshape(3, batch))

    class Bare(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.dropout, self.head = torch.nn.Dropout(0), torch.nn.Linear(features, classes)

    torch.manual_seed(0)
    network = Bare()
    fitting = Fitting(network, [None] * batch, [None] * batch, 0, torch.device("cpu"), "head", 2, 3, {}, lambda: batches(0), torch.Tensor.backward)
    recipes = [dataclasses.replace(PROBE, schedule="constant", warmup=0.0, lr=lr, select={"use": "last"}) for lr in (1e-3, 1e-2, 1e-1)]
    found = Heads(fitting, recipes, CrossEntropy().begin(fitting), batches).run()
    for recipe, trained in zip(recipes, found, strict=True):
        alone = torch.nn.Linear(features, classes)
        alone.load_state_dict(network.head.state_dict())
        optimizer = torch.optim.AdamW(alone.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay, fused=True)
        for _ in range(2):
            for minibatch in batches(0):
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(alone(minibatch.inputs), minibatch.labels, reduction="none").mean().backward()
                optimizer.step()
        assert equal(trained.last, {f"head.{name}": value for name, value in alone.state_dict().items()})


@pytest.mark.parametrize(
    "other",
    [
        {"batch": 8},
        {"epochs": 5},
        {"dropout": 0.1},
        {"head_seed": 1},
        {"loss": {"use": "cross-entropy", "label_smoothing": 0.1}},
    ],
)
def test_what_differs_in_more_than_its_optimisation_goes_with_others_of_its_like(other):
    pairs = [(dataclasses.replace(PROBE, **setting), 0) for setting in ({}, other, {"lr": 1e-3}, {**other, "lr": 1e-3}, {**other, "lr": 2e-3})]
    assert together(pairs) == [[0, 2], [1, 3, 4]]


def test_other_seeds_are_not_trained_with_it():
    assert together([(PROBE, 0), (PROBE, 1), (dataclasses.replace(PROBE, lr=1e-3), 1)]) == [[1, 2]]


@pytest.mark.parametrize(
    "alone",
    [
        {"scope": {"use": "full"}},
        {"optimizer": "sgd"},
        {"clip": 1.0},
        {"patience": 2},
        {"accumulate": 2},
        {"average": {"use": "ema"}},
        {"loss": {"use": "focal"}},
        {"augment": [{"use": "flip"}]},
        {"stages": [{"scope": {"use": "head"}}, {"scope": {"use": "full"}}]},
    ],
)
def test_what_needs_more_than_rows_of_features_is_trained_alone(alone):
    assert make_recipe("finetune", **{**dataclasses_of(PROBE), **alone}).together() is None


def test_one_that_diverges_says_so_as_alone_and_leaves_the_others_as_they_are(work):
    space = {"lr": [1e-3, 1e20, 1e-2]}
    material, carried = with_members(work)
    done = Search(of=[PROBE], space=space).finetune(material)
    with pytest.raises(RecipeError) as alone:
        dataclasses.replace(PROBE, lr=1e20).finetune(work())
    assert [trial.get("failed") for trial in done.notes["trials"]] == [None, str(alone.value), None]
    assert [trial["figure"] for trial in done.notes["trials"] if "figure" in trial] == [
        dataclasses.replace(PROBE, lr=lr).finetune(work()).val_accuracy for lr in (1e-3, 1e-2)
    ]
    assert len(carried) == 3
