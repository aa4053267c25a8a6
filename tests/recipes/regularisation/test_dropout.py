"""Rates of dropout inside the backbone, and stochastic depth."""

from __future__ import annotations

import pytest
import torch
from support.composing import Plain, accuracy, close, equal, material, trained
from support.telling import reading
from torch import nn
from torchvision.models.convnext import CNBlockConfig, ConvNeXt

import windtunnel as wt
from windtunnel.core.network import Network
from windtunnel.core.part import Fitting
from windtunnel.errors import RecipeError
from windtunnel.model_names import source
from windtunnel.recipes.regularisation.dropout import Dropout, StochasticDepth
from windtunnel.recipes.regularisation.rates import paths


def fitting(network):
    work = material()
    return Fitting(network, work.train, work.val, 0, work.device, "full", 1, 1, {}, lambda: iter(()), torch.Tensor.backward)


def test_the_rate_is_that_of_all_dropout_inside_the_backbone_while_the_stage_runs():
    network = Network(Plain(dropout=0.3).load(), 3, dropout=0.7)
    hooks = Dropout(rate=0.2).begin(fitting(network))
    assert [module.p for module in network.modules() if isinstance(module, nn.Dropout)] == [0.2, 0.2, 0.7]
    hooks.ended()
    assert [module.p for module in network.modules() if isinstance(module, nn.Dropout)] == [0.3, 0.3, 0.7]


def test_dropout_of_the_rate_that_is_there_is_full_and_another_is_not():
    plain = trained("full", Plain(dropout=0.3)).last
    assert equal(trained("full", Plain(dropout=0.3), regularise=[{"use": "dropout", "rate": 0.3}]).last, plain)
    assert equal(trained("full", Plain(), regularise=[{"use": "dropout", "rate": 0.3}]).last, plain)
    assert not close(trained("full", Plain(), regularise=[{"use": "dropout", "rate": 0.1}]).last, plain)


def test_a_stage_without_it_has_the_networks_own_rates():
    stages = [{"name": "dropped", "regularise": [{"use": "dropout", "rate": 0.5}]}, {"name": "own", "scope": "full"}]
    done = trained("full", Plain(), stages=stages, epochs=1)
    assert [module.p for module in done.network.modules() if isinstance(module, nn.Dropout)] == [0, 0, 0]


def test_language_models_can_do_without_theirs(tmp_path):
    given = {"epochs": 1, "batch": 16, "lr": 3e-3}
    off = {"dropout": 0.0, "attention_dropout": 0.0}
    calm = wt.make_recipe("full", "text", **given).finetune(reading(tmp_path, **off)).last
    set_off = wt.make_recipe("full", "text", **given, regularise=[{"use": "dropout", "rate": 0}]).finetune(reading(tmp_path)).last
    assert equal(calm, set_off)
    assert not equal(wt.make_recipe("full", "text", **given).finetune(reading(tmp_path)).last, calm)


def test_networks_without_the_modules_are_refused_by_what_they_are_made_of():
    with pytest.raises(RecipeError, match=r"no dropout layers to set a rate of; it is made of AdaptiveAvgPool2d, BatchNorm2d, Conv2d"):
        trained("full", regularise=["dropout"])
    with pytest.raises(RecipeError, match=r"no residual blocks that can be left out; it is made of Sequential, Conv2d, BatchNorm2d"):
        trained("full", regularise=["stochastic-depth"])


def small_convnext():
    """A network of torchvision with three blocks."""
    return ConvNeXt([CNBlockConfig(8, 16, 2), CNBlockConfig(16, None, 1)], stochastic_depth_prob=0.1).eval()


@pytest.mark.parametrize(("name", "blocks"), [("windtunnel/micro-resnet", 4), ("windtunnel/micro-vit", 4), ("torchvision", 3)])
def test_rates_rise_in_a_line_with_depth_to_that_of_the_last_block(name, blocks):
    network = Network(source("windtunnel/micro-resnet" if name == "torchvision" else name).load(), 3)
    if name == "torchvision":
        network.backbone, network.preprocess = small_convnext(), nn.Identity()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    hooks = StochasticDepth(rate=0.4).begin(fitting(network))
    rates = [getattr(module, child).p for module, child in paths(network.backbone)]
    assert len(set(rates)) == blocks
    assert sorted(set(rates)) == pytest.approx([0.4 * (number + 1) / blocks for number in range(blocks)])
    assert rates == sorted(rates)
    assert before.keys() == network.state_dict().keys()
    inputs = torch.rand(4, 3, 32, 32) if name == "torchvision" else material().train.batch(range(4)).inputs
    with torch.no_grad():
        left_out = network.features(inputs)
        hooks.ended()
        assert torch.equal(network.features(inputs), left_out), "in evaluation mode nothing is left out"


def test_a_block_is_left_out_for_whole_samples_and_what_passes_is_scaled():
    network = Network(Plain().load(), 3).train()
    StochasticDepth(rate=0.5).begin(fitting(network))
    block, inputs = network.backbone[2], torch.randn(400, 6, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        added = block(inputs) - inputs
        body = block.body(inputs)
    left_out = (added == 0).flatten(1).all(1)
    assert 0.4 < float(left_out.float().mean()) < 0.6
    torch.testing.assert_close(added[~left_out], 2 * body[~left_out], rtol=1e-4, atol=1e-5)


def test_a_rate_of_zero_is_full_and_others_change_what_is_learned():
    plain = trained("full", Plain()).last
    assert close(trained("stochastic-depth", Plain(), rate=0).last, plain, 1e-6)
    dropped = trained("stochastic-depth", Plain())
    assert not close(dropped.last, plain)
    assert equal(dropped.last, trained("stochastic-depth", Plain()).last)
    assert all(type(block.drop_path) is nn.Identity for block in list(dropped.network.backbone)[1:3])


def test_it_learns():
    assert accuracy(trained("stochastic-depth", source("windtunnel/micro-resnet"), epochs=6)) > 0.8
