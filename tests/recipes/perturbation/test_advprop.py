"""AdvProp: two sets of batch norms, of which one is left."""

from __future__ import annotations

import pytest
import torch
from support.composing import Plain, agree, equal, gradient, slopes, start, trained
from support.small import Stripes
from torch.nn.functional import cross_entropy

import windtunnel as wt
from windtunnel.errors import RecipeError

FGSM = {"use": "fgsm", "eps": "24/255"}


def signed(network, images, labels):
    network.eval()
    points = images.clone().requires_grad_()
    slope = torch.autograd.grad(cross_entropy(network(points), labels), points)[0]
    network.train()
    return (images + 24 / 255 * slope.sign()).clamp(0, 1)


def test_a_step_follows_both_losses_and_the_networks_own_norms_only_the_clean_one():
    """At the start both norms are alike, so that they can be told apart only by whose gradient reaches whom."""

    def both(network, images, labels):
        perturbed = signed(network, images, labels)
        return cross_entropy(network(images), labels) + cross_entropy(network(perturbed), labels)

    def clean(network, images, labels):
        return cross_entropy(network(images), labels)

    found, sums, alone = slopes("advprop", perturb={"threat": FGSM}), gradient(both), gradient(clean)
    norms = {name for name in found if name.startswith("backbone.1.")}
    assert norms
    agree(found, {name: alone[name] if name in norms else sums[name] for name in found})
    assert float((sums["backbone.1.weight"] - alone["backbone.1.weight"]).abs().max()) > 1e-4


def test_running_statistics_are_those_of_clean_inputs_alone():
    given = {"epochs": 1, "batch": 100}
    kept = trained("advprop", **given, perturb={"threat": FGSM}).last
    wanted = trained("full", **given).last
    mixed = trained("pgd-at", **given, perturb={"use": "adversarial", "threat": FGSM}).last
    name = "backbone.1.running_mean"
    assert torch.equal(kept[name], wanted[name])
    assert not torch.equal(mixed[name], wanted[name])
    assert kept.keys() == start().state_dict().keys(), "nothing is left of the auxiliary ones"
    assert int(kept["backbone.1.num_batches_tracked"]) == 1


def test_the_auxiliary_norms_are_trained_and_serve_the_attack():
    """With two steps, what the second attack finds depends on statistics that only perturbed inputs have moved."""
    one = trained("advprop", epochs=3, perturb={"threat": FGSM})
    other = trained("advprop", epochs=3, perturb={"threat": {"use": "fgsm", "eps": "1/255"}})
    assert not equal(one.last, other.last)
    assert [epoch.val_robust_accuracy for epoch in one.curves] == [None] * 3


def test_a_network_without_batch_norm_is_refused_by_what_it_has():
    with pytest.raises(RecipeError, match=r"plain has none; it has no normalisation"):
        trained("advprop", Plain())
    with pytest.raises(RecipeError, match=r"windtunnel/micro-vit has none; it has LayerNorm"):
        wt.finetune("windtunnel/micro-vit", "advprop", Stripes(count=90))
