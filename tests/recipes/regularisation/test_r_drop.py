"""R-Drop: two passes under other draws of dropout."""

from __future__ import annotations

import pytest
import torch
from support.composing import Plain, accuracy, close, equal, material, slopes, trained
from torch.nn.functional import cross_entropy

from windtunnel.core.network import Network
from windtunnel.core.part import Answer, Minibatch
from windtunnel.errors import RecipeError
from windtunnel.recipes.order import order
from windtunnel.recipes.regularisation.r_drop import twice
from windtunnel.seeding import reseed, scoped

DROPPED = Plain(name="dropped", dropout=0.3)


def test_a_step_follows_the_mean_of_both_losses_and_alpha_mean_divergences():
    """By hand both passes go through the network at once, in the order of the epoch, under the draws of the step."""
    work, alpha = material(DROPPED), 2.0
    network = Network(work.model, 3).train()
    batch = work.train.batch(order(60, 10_000, 0, 1)[0])
    with scoped("r-drop-test"):
        reseed(0, "step", "full", 1, 0)
        first, second = network(torch.cat([batch.inputs, batch.inputs])).chunk(2)
    p, q = first.softmax(1), second.softmax(1)
    apart = ((p * (p / q).log()).sum(1) + (q * (q / p).log()).sum(1)) / 2
    assert float(apart.detach().mean()) > 1e-6
    ((cross_entropy(first, batch.labels) + cross_entropy(second, batch.labels)) / 2 + alpha * apart.mean()).backward()
    found = slopes("full", DROPPED, regularise=[{"use": "r-drop", "alpha": alpha}])
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(found[name], parameter.grad, rtol=1e-3, atol=2e-6)


def test_alpha_counts_only_where_passes_differ():
    parts = {alpha: trained("full", DROPPED, regularise=[{"use": "r-drop", "alpha": alpha}]).last for alpha in (0, 5)}
    assert not close(parts[0], parts[5], 1e-6)
    nearly = Plain(name="nearly", dropout=1e-9)  # draws, and drops nothing
    plain = trained("full", nearly, optimizer="sgd", lr=0.05).last
    assert close(trained("full", nearly, optimizer="sgd", lr=0.05, regularise=[{"use": "r-drop", "alpha": 5}]).last, plain, 1e-5)


def test_a_network_that_draws_nothing_is_refused_and_one_that_is_made_to_is_not():
    with pytest.raises(RecipeError, match=r"nothing in this network does \(3 dropout layers of rate 0\)"):
        trained("full", Plain(), regularise=["r-drop"])
    for maker in ({"use": "dropout", "rate": 0.2}, {"use": "stochastic-depth"}):
        trained("full", Plain(), regularise=["r-drop", maker], epochs=1)


def test_every_field_of_a_minibatch_is_doubled():
    rows = torch.arange(6.0).view(3, 2)
    whole = Minibatch(
        rows, torch.tensor([0, 1, 2]), ("a", "b", "c"), rows + 1, rows + 2, (rows + 3,), torch.tensor([2, 0, 1]), rows[:, 0], torch.tensor([1, 2, 0])
    )
    both = twice(whole)
    assert both.ids == ("a", "b", "c", "a", "b", "c")
    assert both.partner.tolist() == [1, 2, 0, 4, 5, 3]
    for name in ("inputs", "labels", "clean", "perturbed", "other", "share"):
        assert torch.equal(getattr(both, name), torch.cat([getattr(whole, name)] * 2)), name
    assert torch.equal(both.views[0], torch.cat([rows + 3, rows + 3]))
    assert Answer(both.inputs, both.inputs).logits.chunk(2)[0].equal(rows)


def test_it_learns_and_repeats_byte_for_byte_and_goes_with_perturbation():
    done = trained("r-drop", epochs=8)
    assert accuracy(done) > 0.8
    assert equal(done.last, trained("r-drop", epochs=8).last)
    both = trained("pgd-at", epochs=1, dropout=0.1, regularise=["r-drop"], eps="24/255")
    assert not equal(both.last, trained("pgd-at", epochs=1, dropout=0.1, eps="24/255").last)
