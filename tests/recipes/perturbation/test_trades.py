"""TRADES: its loss, its search, and what is left of it without."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from support.composing import Plain, agree, close, equal, gradient, material, slopes, start, trained
from torch.nn.functional import cross_entropy

from windtunnel.core.part import Fitting, Minibatch
from windtunnel.recipes.perturbation.ascent import most_divergent
from windtunnel.recipes.perturbation.trades import Trades
from windtunnel.seeding import generators

GIVEN = {"eps": "24/255", "step": "6/255"}


def divergence(clean, other):
    """KL of two predictions, from the probabilities."""
    first, second = clean.softmax(1), other.softmax(1)
    return (first * (first.log() - second.log())).sum(1)


def searched(network, images, ids, *, eps=24 / 255, step=6 / 255, steps=10):
    """The search, by hand."""
    network.eval()
    noise = torch.stack([torch.from_numpy(draw.standard_normal((1, 8, 8))).float() for draw in generators(0, "trades/full/1", ids)])
    points = images + 0.001 * noise
    for _ in range(steps):
        points = points.detach().requires_grad_()
        slope = torch.autograd.grad(divergence(network(images).detach(), network(points)).sum(), points)[0]
        points = torch.minimum(torch.maximum(points + step * slope.sign(), images - eps), images + eps).clamp(0, 1)
    network.train()
    return points.detach()


def test_a_step_follows_cross_entropy_on_clean_inputs_and_beta_divergences_with_batch_statistics_of_their_own():
    ids = material().train.ids

    def loss(network, images, labels):
        perturbed = searched(network, images, ids)
        clean = network(images)
        return cross_entropy(clean, labels) + 2.5 * divergence(clean, network(perturbed)).mean()

    agree(slopes("trades", **GIVEN, beta=2.5), gradient(loss))


def test_without_beta_it_is_ordinary_fine_tuning_and_with_it_is_not():
    plain = trained("full")
    assert equal(trained("trades", **GIVEN, beta=0).last, plain.last)
    assert not close(trained("trades", **GIVEN).last, plain.last)


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_the_search_stays_in_the_ball_and_finds_more_than_noise_does(norm):
    network, work = start(), material()
    with torch.no_grad():
        network.head.weight.mul_(50)
    fitting = Fitting(network, work.train, work.val, 0, work.device, "full", 1, 1, {}, lambda: iter(()), torch.Tensor.backward, epoch=1)
    batch = work.train.batch()
    radius = {"Linf": 0.1, "L2": 0.8}[norm]
    settings = Trades(norm=norm, eps=Fraction(radius).limit_denominator(100), step="1/40" if norm == "Linf" else "1/5")
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    found = most_divergent(settings, fitting, Minibatch(batch.inputs, batch.labels, batch.ids))
    assert network.training
    assert all(parameter.requires_grad and parameter.grad is None for parameter in network.parameters())
    assert equal(before, network.state_dict())
    moved = found - batch.inputs
    size = moved.abs().amax() if norm == "Linf" else moved.flatten(1).norm(dim=1).amax()
    assert float(size) == pytest.approx(radius, abs=1e-5)
    assert 0 <= float(found.min()) <= float(found.max()) <= 1
    for parameter in network.eval().parameters():
        parameter.requires_grad_(False)
    signs = torch.randn(batch.inputs.shape, generator=torch.Generator().manual_seed(0)).sign()
    noise = (batch.inputs + signs * (radius / 8 if norm == "L2" else radius)).clamp(0, 1)
    clean = network(batch.inputs)
    assert float(divergence(clean, network(found)).mean()) > 2 * float(divergence(clean, network(noise)).mean())


def test_another_threat_can_search_in_its_place():
    threat = {"use": "pgd", "eps": "24/255", "steps": 3, "stop_when_broken": False}
    other = trained("trades", Plain(), threat=threat, epochs=1)
    assert not equal(other.last, trained("trades", Plain(), **GIVEN, epochs=1).last)
    assert other.curves[0].val_robust_accuracy is not None


def test_epochs_are_judged_under_pgd_of_as_many_steps():
    judge = Trades(eps="4/255", step="1/255", steps=7).judged_under()
    assert (judge.use, judge.levels, judge.steps, judge.step) == ("pgd", (Fraction(4, 255),), 7, Fraction(1, 255))
