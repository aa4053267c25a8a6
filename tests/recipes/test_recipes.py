"""Every recipe of the table, and each for what it promises."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from support.small import Tiny

from windtunnel import make_recipe
from windtunnel.catalog import Catalog
from windtunnel.core.dataset import Dataset
from windtunnel.core.named import overridden
from windtunnel.core.network import Network
from windtunnel.core.recipe import Material
from windtunnel.core.victim import Victim
from windtunnel.errors import RecipeError
from windtunnel.recipes.judging import attacked
from windtunnel.recipes.optimizer import schedule
from windtunnel.recipes.order import order
from windtunnel.recipes.scopes.blocks import structure
from windtunnel.recipes.supervised import Supervised
from windtunnel.specs import load_preset

PRESETS = Catalog().names("recipes")


def full(**arguments) -> Supervised:
    return make_recipe("full", **arguments)


def probing(**arguments) -> Supervised:
    return make_recipe("linear-probe", **arguments)


PARTICULAR = ("stochastic-depth",)
"""Recipes for networks that have what Tiny lacks, here residual blocks; they are tested with their parts."""


def lp_ft(**arguments) -> Supervised:
    return make_recipe("lp-ft", **arguments)


def pgd_at(**arguments) -> Supervised:
    return make_recipe("pgd-at", **arguments)


def suits_tiny(name: str) -> bool:
    """Whether a preset is a composition that can be trained on images, by a network that is neither deep nor a transformer."""
    made = load_preset(name, Catalog()).made["image"]
    if not isinstance(made, Supervised) or "image" not in made.modalities or name in PARTICULAR:
        return False
    try:
        made.check(Material("tiny", "stripes", *structure(Tiny().load().backbone), classes=(100, 100, 100), val=30))
    except RecipeError:
        return False
    return True


def accuracy(network: torch.nn.Module, data: Dataset) -> float:
    batch = data.batch()
    return float((network(batch.inputs).argmax(1) == batch.labels).double().mean())


def robust_accuracy(network: torch.nn.Module, threat, data: Dataset) -> float:
    batch = data.batch()
    return float((Victim(network).logits(attacked(network, threat, batch, 0)).argmax(1) == batch.labels).float().mean())


def equal(first: dict, second: dict) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("name", [name for name in PRESETS if suits_tiny(name)])
def test_every_recipe_learns_repeats_and_leaves_the_global_generators_alone(name, work):
    recipe = make_recipe(name, epochs=6, batch=16)
    assert recipe.describe()["arguments"]["epochs"] == 6
    assert recipe.passes(100) > 0
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    first, second, other = recipe.finetune(work(0)), recipe.finetune(work(0)), recipe.finetune(work(1))
    assert torch.equal(before[0], torch.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all()
    assert equal(first.best, second.best)
    assert equal(first.last, second.last)
    assert first.curves == second.curves
    assert not equal(first.last, other.last)
    assert not any(part.training for part in first.network.modules())
    assert accuracy(first.network, work(0).val) > 0.8, "three well separated classes are learned"
    assert equal(first.best, dict(first.network.state_dict()))


def test_a_linear_probe_leaves_the_backbone_byte_for_byte(work):
    done = probing(epochs=5).finetune(work())
    original = Network(Tiny().load(), 3).state_dict()
    for name, tensor in done.best.items():
        assert torch.equal(tensor, original[name]) == (not name.startswith("head.")), name


def test_a_probe_on_features_is_the_probe_through_the_frozen_backbone(work):
    """The same head for the same epochs, trained the slow way."""
    recipe, material = probing(epochs=8, batch=16), work()
    quick = recipe.finetune(material).last
    network = Network(Tiny().load(), 3, seed=0)
    optimizer = torch.optim.AdamW(network.head.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay)
    steps = len(order(len(material.train), recipe.batch, 0, 1))
    factor = schedule(recipe, steps * recipe.epochs)
    for epoch in range(1, recipe.epochs + 1):
        for step, rows in enumerate(order(len(material.train), recipe.batch, 0, epoch)):
            optimizer.param_groups[0]["lr"] = recipe.lr * factor((epoch - 1) * steps + step)
            batch = material.train.batch(rows)
            loss = torch.nn.functional.cross_entropy(network(batch.inputs), batch.labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    torch.testing.assert_close(quick["head.weight"], network.head.weight.detach(), rtol=1e-4, atol=1e-6)


def test_full_fine_tuning_moves_every_part(work):
    done = full(epochs=2).finetune(work())
    original = Network(Tiny().load(), 3).state_dict()
    moved = {name for name, tensor in done.last.items() if tensor.is_floating_point() and not torch.equal(tensor, original[name])}
    assert {"backbone.0.weight", "backbone.1.weight", "backbone.1.running_mean", "head.weight"} <= moved


def test_lp_ft_begins_where_the_probe_ended(work):
    probe = probing(epochs=20).finetune(work())
    done = lp_ft(epochs=1, lr=1e-12, weight_decay=0, probe_epochs=20, probe_lr=probing().lr).finetune(work())
    # The probe's weight decay is the recipe's, hence close and not equal.
    torch.testing.assert_close(done.last["head.weight"], probe.best["head.weight"], rtol=0.05, atol=0.02)
    assert [epoch.stage for epoch in done.curves] == ["probe"] * 20 + ["full"]


def test_the_best_epoch_is_the_first_with_the_highest_validation_figure(work):
    done = full(epochs=8, lr=0.05).finetune(work(noise=0.6))
    figures = [epoch.val_accuracy for epoch in done.curves]
    assert done.best_epoch == 1 + int(np.argmax(figures))
    assert accuracy(done.network, work(noise=0.6).val) == max(figures)


def test_early_stopping_ends_after_as_many_epochs_without_progress(work):
    done = full(epochs=50, patience=3, lr=3e-3).finetune(work())
    assert len(done.curves) == done.best_epoch + 3 < 50


def test_adversarial_training_is_selected_by_robust_accuracy_and_helps(work):
    at, plain = pgd_at(epochs=12, eps="48/255", batch=16), full(epochs=12, batch=16)
    robust, ordinary = at.finetune(work()), plain.finetune(work())
    figures = [epoch.val_robust_accuracy for epoch in robust.curves]
    assert None not in figures
    assert robust.best_epoch == 1 + int(np.argmax(figures))
    threat = at.perturb.threat
    assert threat.steps == 7
    assert robust_accuracy(robust.network, threat, work().val) > robust_accuracy(ordinary.network, threat, work().val)


def test_an_attack_in_training_changes_neither_mode_nor_batch_statistics(work):
    material = work()
    network = Network(material.model, 3)
    network.train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    batch = material.train.batch(range(10))
    perturbed = attacked(network, pgd_at().perturb.threat, batch, 0)
    assert network.training
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert equal(before, network.state_dict())
    assert 0 < float((perturbed - batch.inputs).abs().max()) <= 8 / 255 + 1e-6


@pytest.mark.parametrize(
    "change", [{"loss": {"label_smoothing": 0.2}}, {"dropout": 0.5}, {"optimizer": "sgd"}, {"schedule": "constant"}, {"weight_decay": 0.3}]
)
def test_every_hyper_parameter_changes_what_is_learned_and_the_description(change, work):
    base = full(epochs=2, batch=16)
    other = overridden(base, change)
    assert other.describe() != base.describe()
    assert not equal(other.finetune(work()).last, base.finetune(work()).last)


def test_a_loss_that_explodes_is_an_error_that_names_the_rate(work):
    with pytest.raises(RecipeError, match=r"loss became (nan|inf) in epoch \d+ .*smaller lr"):
        full(epochs=3, lr=1e30, optimizer="sgd", warmup=0).finetune(work())


def test_data_that_cannot_train_a_classifier_is_refused(work):
    material = work()
    single = dataclasses.replace(material, train=material.train.take(np.flatnonzero(material.train.labels == 1)))
    with pytest.raises(RecipeError, match="single class"):
        full().finetune(single)
    with pytest.raises(RecipeError, match="is empty"):
        probing().finetune(dataclasses.replace(material, val=material.val.take([])))


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"lr": -1}, {"optimizer": "adam"}, {"epoch": 3}, {"label_smoothing": 1}])
def test_wrong_hyper_parameters_are_refused(wrong):
    with pytest.raises((ValueError, TypeError), match=next(iter(wrong))):
        full(**wrong)


def test_the_schedule_rises_then_falls_to_zero():
    factor = schedule(full(warmup=0.1, epochs=1), 100)
    assert [round(factor(step), 3) for step in (0, 9, 10, 55)] == [0.1, 1.0, 1.0, 0.5]
    assert factor(99) < 0.001
    assert schedule(full(warmup=0, schedule="constant"), 100)(0) == 1.0


def test_an_epoch_visits_each_sample_once_in_batches_of_nearly_equal_size():
    batches = order(65, 16, seed=3, epoch=2)
    assert sorted(np.concatenate(batches).tolist()) == list(range(65))
    assert {len(batch) for batch in batches} == {13}
    assert not np.array_equal(order(65, 16, 3, 1)[0], batches[0])


def distance(done, work):
    """How far the backbone is from where it started."""
    start = dict(Network(work().model, 3).backbone.named_parameters())
    return sum(float((done.last[f"backbone.{name}"] - before.detach()).square().sum()) for name, before in start.items())


def test_l2_sp_of_no_strength_is_full_and_the_stronger_it_is_the_nearer_the_backbone_stays(work):
    plain = full(epochs=4, batch=16).finetune(work())
    assert equal(full(epochs=4, batch=16, regularise={"use": "l2-sp", "strength": 0}).finetune(work()).last, plain.last)
    found = [
        distance(full(epochs=4, batch=16, weight_decay=0, regularise={"use": "l2-sp", "strength": strength}).finetune(work()), work)
        for strength in (0, 0.3, 30)
    ]
    assert found[0] > found[1] > found[2] > 0


def test_l2_sp_moves_the_backbone_by_its_gradient_and_spares_it_the_decay(work):
    """One step of plain gradient descent from the start: the pull is zero there, and nothing decays but the head."""
    given = {"epochs": 1, "batch": 10_000, "optimizer": "sgd", "schedule": "constant", "warmup": 0, "lr": 0.1}
    pulled = full(**given, weight_decay=0.5, regularise={"use": "l2-sp", "strength": 2}).finetune(work())
    free, decayed = (full(**given, weight_decay=decay).finetune(work()) for decay in (0, 0.5))
    for name, tensor in pulled.last.items():
        like = decayed if name.startswith("head.") else free
        assert torch.equal(tensor, like.last[name]), name
    assert not equal(free.last, decayed.last)


def test_lp_ft_is_drawn_to_the_pre_trained_backbone(work):
    strong = lp_ft(epochs=4, batch=16, regularise={"use": "l2-sp", "strength": 1000}, weight_decay=0).finetune(work())
    free = lp_ft(epochs=4, batch=16, weight_decay=0).finetune(work())
    assert distance(strong, work) < 0.1 * distance(free, work)
    assert not torch.equal(strong.last["head.weight"], free.last["head.weight"])
