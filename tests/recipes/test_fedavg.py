"""FedAvg: who has what, the average, and the training that it is with one client."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.composing import Plain, accuracy, close, equal, material, trained

import windtunnel as wt
from windtunnel.core.named import overridden
from windtunnel.errors import RecipeError
from windtunnel.recipes.fedavg import FedAvg
from windtunnel.recipes.federation import mean, spread, taking_part

STEP = {"epochs": 1, "batch": 1000, "optimizer": "sgd", "lr": 0.1, "weight_decay": 0}
LABELS = np.arange(600) % 3


def federated(source=None, seed=0, client=(), **arguments):
    recipe = overridden(FedAvg(), {"client": {"batch": 16, **dict(client)}, "rounds": 2, "clients": 3, **arguments})
    return recipe.finetune(material(source, seed))


def skew(held):
    """The mean share of a client's most frequent class."""
    return np.mean([np.bincount(LABELS[rows]).max() / len(rows) for rows in held])


def test_every_sample_is_with_one_client_and_the_smaller_alpha_the_more_classes_are_apart():
    for alpha in (0.01, 0.5, 100):
        held = spread(LABELS, 5, alpha, 0)
        assert sorted(np.concatenate(held).tolist()) == list(range(600))
        assert all(len(rows) for rows in held)
    assert skew(spread(LABELS, 5, 0.05, 0)) > skew(spread(LABELS, 5, 0.5, 0)) > skew(spread(LABELS, 5, 1000, 0))
    assert skew(spread(LABELS, 5, 1000, 0)) < 0.4
    assert not np.array_equal(spread(LABELS, 5, 0.5, 0)[0], spread(LABELS, 5, 0.5, 1)[0])
    assert [len(rows) for rows in spread(LABELS[:5], 5, 0.01, 0)] == [1] * 5


def test_the_mean_is_weighted_by_samples():
    states = [{"weight": torch.full((2,), value), "count": torch.tensor(int(value))} for value in (1.0, 4.0, 10.0)]
    found = mean(states, [3, 2, 1])
    assert found["weight"].tolist() == [3.5, 3.5]
    assert int(found["count"]) == 1
    assert found["weight"].dtype is torch.float32


def test_one_full_step_of_each_client_is_one_step_on_all_samples():
    """With a single step the mean of the clients' weights is that of their gradients (McMahan et al., section 2, FederatedSGD)."""
    whole = trained("full", Plain(), **STEP, schedule="constant", warmup=0)
    spread_out = federated(Plain(), client=STEP, rounds=1, alpha=0.3)
    assert close(spread_out.last, whole.last, 1e-6)
    assert spread_out.curves[0].train_loss == pytest.approx(whole.curves[0].train_loss, rel=1e-5)
    assert not close(federated(Plain(), client={**STEP, "epochs": 3}, rounds=1).last, whole.last, 1e-6)


def test_some_clients_take_part_others_every_round():
    recipe = FedAvg(clients=10, fraction=0.3)
    rounds = [taking_part(recipe, 0, number) for number in range(1, 30)]
    assert {len(each) for each in rounds} == {3}
    assert {place for each in rounds for place in each} == set(range(10))
    assert taking_part(FedAvg(clients=10, fraction=0.01), 0, 1) != []
    assert not equal(federated(fraction=0.4).last, federated().last)


def test_it_learns_under_skew_keeps_its_best_round_and_repeats_byte_for_byte():
    done = federated(rounds=6, alpha=0.3)
    figures = [epoch.val_accuracy for epoch in done.curves]
    assert accuracy(done) > 0.8
    assert done.best_epoch == 1 + int(np.argmax(figures))
    assert sum(done.notes["samples of each client"]) == 60
    assert equal(done.last, federated(rounds=6, alpha=0.3).last)
    assert not equal(done.last, federated(rounds=6, alpha=0.3, seed=1).last)


def test_clients_may_train_against_a_threat():
    robust = federated(rounds=3, client={"perturb": {"use": "adversarial", "threat": {"use": "fgsm", "eps": "32/255"}}})
    assert accuracy(robust, "pgd", eps="32/255") > accuracy(federated(rounds=3), "pgd", eps="32/255")


@pytest.mark.parametrize("client", ["linear-probe", "lp-ft"])
def test_clients_that_cannot_train_on_are_refused(client):
    with pytest.raises(RecipeError, match="give `client` a recipe of one stage that trains through the backbone"):
        FedAvg(client=wt.make_recipe(client))


def test_more_clients_than_samples_are_refused():
    from support.small import Stripes, Tiny

    with pytest.raises(RecipeError, match="has 60 training samples, too few for 61 clients"):
        wt.finetune(Tiny(), "fedavg", Stripes(), clients=61)
