"""LDIFS: features are held to those of the pre-trained network."""

from __future__ import annotations

import pytest
import torch
from support.composing import Plain, accuracy, close, equal, material, trained
from support.telling import reading
from torch.nn.functional import cross_entropy

import windtunnel as wt
from windtunnel.core.network import Network
from windtunnel.core.part import Fitting, Minibatch
from windtunnel.recipes.regularisation.feature_distance import FeatureDistance


def apart(one, other):
    """Squared distance of directions: two minus two cosines."""
    one, other = one.flatten(1), other.flatten(1)
    return 2 - 2 * (one * other).sum(1) / one.norm(dim=1) / other.norm(dim=1)


def away(source):
    """A network whose backbone has moved, and how it was."""
    network = Network(source.load(), 3)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with torch.no_grad():
        for parameter in network.backbone.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(parameter.numel()))
    return network, before


def test_the_penalty_is_the_distance_over_blocks_and_features_from_the_network_at_the_start():
    work, (network, before) = material(Plain()), away(Plain())
    fitting = Fitting(network, work.train, work.val, 0, work.device, "full", 1, 1, before, lambda: iter(()), torch.Tensor.backward)
    hooks = FeatureDistance(strength=3).begin(fitting)
    fitting.hooks = (hooks,)
    batch = work.train.batch()
    minibatch, found = Minibatch(batch.inputs, batch.labels, batch.ids), []

    def inner(given):
        answer = fitting.answer(given)
        found.append(hooks.penalty(given, answer))
        return cross_entropy(answer.logits, given.labels) + found[0]

    hooks.objective(minibatch, inner).backward()
    old, wanted = Network(Plain().load(), 3), torch.zeros(60)
    one, other = (each.backbone[0](each.preprocess(batch.inputs)) for each in (network, old))
    for place in (1, 2):
        one, other = network.backbone[place](one), old.backbone[place](other)
        wanted = wanted + apart(one, other)
    wanted = 3 * (wanted + apart(network.backbone(network.preprocess(batch.inputs)), old.backbone(old.preprocess(batch.inputs)))).mean()
    torch.testing.assert_close(found[0], wanted, rtol=1e-4, atol=1e-6)
    assert not any(module._forward_hooks for module in network.modules()), "nothing is left in the network"
    assert float(found[0].detach()) > 0.01


def distance(done):
    """How far the features on the validation split are from where they started."""
    work = material(Plain())
    batch, old = work.val.batch(), Network(work.model, 3)
    with torch.no_grad():
        return float(apart(done.network.features(batch.inputs), old.features(batch.inputs)).mean())


def test_of_no_strength_it_is_full_and_the_stronger_it_is_the_nearer_features_stay():
    given = {"epochs": 6, "lr": 0.01, "select": "last"}
    plain = trained("full", Plain(), **given)
    assert equal(trained("feature-distance", Plain(), **given, strength=0).last, plain.last)
    held = [trained("feature-distance", Plain(), **given, strength=strength) for strength in (1, 100)]
    assert distance(plain) > distance(held[0]) > distance(held[1])


def test_the_start_is_the_pre_trained_network_in_every_stage():
    given = {"epochs": 3, "lr": 0.01, "select": "last"}
    stages = [{"name": "free"}, {"name": "held", "regularise": [{"use": "feature-distance", "strength": 300}]}]
    back, on = (trained("full", Plain(), **given, stages=each) for each in (stages, stages[:1]))
    assert distance(back) < distance(on)


def test_language_models_are_held_by_their_features(tmp_path):
    given = {"epochs": 2, "batch": 16, "lr": 3e-3}
    plain, held = (wt.make_recipe(recipe, "text", **given).finetune(reading(tmp_path)) for recipe in ("full", "feature-distance"))
    assert not close(plain.last, held.last)


@pytest.mark.parametrize("source", [None, Plain()])
def test_it_learns_and_repeats_byte_for_byte(source):
    done = trained("feature-distance", source, epochs=8, lr=0.01)
    assert equal(done.last, trained("feature-distance", source, epochs=8, lr=0.01).last)
    if source is None:
        assert accuracy(done) > 0.8


def test_a_batch_in_parts_agrees_to_rounding():
    whole, parts = (trained("feature-distance", Plain(), epochs=1, accumulate=count, optimizer="sgd", lr=0.05).last for count in (1, 3))
    assert close(whole, parts, 1e-5)
