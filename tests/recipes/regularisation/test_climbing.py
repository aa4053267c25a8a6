"""SAM, ASAM and AWP: the place where the gradient is taken, and the way back."""

from __future__ import annotations

import copy

import pytest
import torch
from support.composing import Plain, accuracy, agree, close, equal, gradient, material, slopes, start, trained
from torch.nn.functional import cross_entropy

from windtunnel.core.part import Fitting
from windtunnel.recipes.regularisation.awp import AWP
from windtunnel.recipes.regularisation.sam import ASAM, SAM

PRESETS = {"sam": "rho", "asam": "rho", "awp": "gamma"}


def moved(network, images, labels, move):
    """The loss where `move(name, weight, slope, slopes)` has put the weights; the slopes are those of the loss at the start."""
    away = copy.deepcopy(network)
    cross_entropy(away(images), labels).backward()
    found = {name: each.grad for name, each in away.named_parameters()}
    weights = dict(network.named_parameters())
    at = {name: weights[name] + move(name, weights[name].detach(), slope, found) for name, slope in found.items()}
    return cross_entropy(torch.func.functional_call(network, at, (images,)), labels)


def whole(slopes):
    return torch.cat([slope.flatten() for slope in slopes]).norm()


def sam(name, weight, slope, found):
    return 0.3 * slope / whole(found.values())


def asam(name, weight, slope, found):
    start_weights = dict(start().named_parameters())
    sizes = {key: each.detach().abs() + 0.01 if key.endswith("weight") else torch.ones_like(each) for key, each in start_weights.items()}
    return 0.3 * sizes[name] ** 2 * slope / whole([sizes[key] * each for key, each in found.items()])


def awp(name, weight, slope, found):
    return 0.05 * weight.norm() * slope / slope.norm() if weight.ndim > 1 else 0 * weight


@pytest.mark.parametrize(
    ("part", "move"),
    [({"use": "sam", "rho": 0.3}, sam), ({"use": "asam", "rho": 0.3, "eta": 0.01}, asam), ({"use": "awp", "gamma": 0.05}, awp)],
)
def test_a_step_follows_the_gradient_at_the_place_that_is_computed_by_hand(part, move):
    found = slopes("full", regularise=[part])
    agree(found, gradient(lambda network, images, labels: moved(network, images, labels, move)))
    plain = slopes("full")
    assert max(float((found[name] - plain[name]).abs().max()) for name in found) > 1e-4


@pytest.mark.parametrize("preset", PRESETS)
def test_a_move_of_no_length_is_the_recipe_without_it(preset):
    without = trained("pgd-at" if preset == "awp" else "full").last
    assert equal(trained(preset, regularise=[{"use": preset, PRESETS[preset]: 0}]).last, without)
    assert not close(trained(preset, **{PRESETS[preset]: 0.3}).last, without)


@pytest.mark.parametrize("part", [SAM(rho=0.7), ASAM(), AWP(gamma=0.3)])
def test_settling_puts_weights_back_to_the_bit_and_leaves_the_gradients(part):
    work, network = material(), start()
    network.backbone[0].bias.requires_grad_(False)
    batch = work.train.batch()
    cross_entropy(network(batch.inputs), batch.labels).backward()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    gradients = {name: each.grad for name, each in network.named_parameters()}
    fitting = Fitting(network, work.train, work.val, 0, work.device, "full", 1, 1, {}, lambda: iter(()), torch.Tensor.backward)
    hooks = part.begin(fitting)
    hooks.climb()
    assert not equal(before, network.state_dict())
    assert torch.equal(network.backbone[0].bias, before["backbone.0.bias"]), "what does not move is not moved"
    network(batch.inputs)
    hooks.settle()
    assert equal(before, network.state_dict()), "batch statistics are as they were, too"
    assert all(each.grad is gradients[name] for name, each in network.named_parameters())
    assert network.backbone[1].track_running_stats
    network(batch.inputs)
    assert int(network.backbone[1].num_batches_tracked) == int(before["backbone.1.num_batches_tracked"]) + 1


@pytest.mark.parametrize("preset", ["sam", "asam"])
def test_batch_statistics_are_counted_once_a_step(preset):
    one, plain = (trained(each, epochs=1, batch=100).last for each in (preset, "full"))
    assert torch.equal(one["backbone.1.running_mean"], plain["backbone.1.running_mean"])
    assert int(trained(preset, epochs=3, batch=15).last["backbone.1.num_batches_tracked"]) == 12


def test_two_that_climb_are_both_put_back():
    both = [{"use": "sam", "rho": 0.5}, {"use": "awp", "gamma": 0.5}]
    still = trained("full", regularise=both, lr=1e-30, weight_decay=0, warmup=0).last
    fresh = dict(start().named_parameters())
    assert all(torch.allclose(still[name], each, rtol=0, atol=1e-20) for name, each in fresh.items())


@pytest.mark.parametrize("preset", PRESETS)
def test_a_batch_in_parts_agrees_to_rounding(preset):
    whole_batch, parts = (trained(preset, Plain(), epochs=1, accumulate=count, optimizer="sgd", lr=0.05).last for count in (1, 3))
    assert close(whole_batch, parts)


@pytest.mark.parametrize("preset", ["sam", "asam"])
def test_it_learns_and_repeats_byte_for_byte(preset):
    done = trained(preset, epochs=8)
    assert accuracy(done) > 0.8
    assert equal(done.last, trained(preset, epochs=8).last)


def test_sam_goes_where_the_loss_is_flatter():
    """The loss around what is found, along the worst direction, rises less than around what plain steps find."""

    def rise(done, rho=0.5):
        batch, network = material(Plain()).train.batch(), done.network
        loss = cross_entropy(network(batch.inputs), batch.labels)
        found = torch.autograd.grad(loss, list(network.parameters()))
        length = whole(found)
        with torch.no_grad():
            for parameter, slope in zip(network.parameters(), found, strict=True):
                parameter += rho * slope / length
            return float(cross_entropy(network(batch.inputs), batch.labels) - loss)

    given = {"epochs": 60, "lr": 0.01, "select": "last", "weight_decay": 0}
    assert rise(trained("sam", Plain(), **given, rho=0.2)) < rise(trained("full", Plain(), **given)) / 2
