"""Stochastic weight averaging against its definition and torch's own implementation."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from support.members import equal
from torch.optim.swa_utils import update_bn

from windtunnel import make_recipe
from windtunnel.core.network import Network
from windtunnel.recipes.averaging.statistics import refresh
from windtunnel.recipes.averaging.swa import SWA
from windtunnel.recipes.order import EVALUATION_BATCH, order
from windtunnel.recipes.selection.best import Last
from windtunnel.recipes.stages import carry_out
from windtunnel.recipes.supervised import Supervised

CPU = torch.device("cpu")
PLAIN = Supervised(epochs=4, batch=16, schedule="constant", warmup=0, select=Last())


def weights(state):
    return {name: tensor for name, tensor in state.items() if "running" not in name and "tracked" not in name}


def test_the_average_is_the_mean_of_the_weights_after_the_last_epochs(work):
    """At a constant rate the epochs are those of shorter trainings without the average."""
    ends = [dataclasses.replace(PLAIN, epochs=epochs).finetune(work()).last for epochs in (3, 4)]
    found = dataclasses.replace(PLAIN, average=SWA(start=0.5)).finetune(work()).last
    for name, tensor in weights(found).items():
        torch.testing.assert_close(tensor, (ends[0][name] + ends[1][name]) / 2, rtol=1e-6, atol=1e-7)
    assert not equal(weights(found), weights(ends[1]))


def test_an_average_of_the_last_epoch_alone_has_its_weights(work):
    found = dataclasses.replace(PLAIN, average=SWA(start=0.9)).finetune(work()).last
    assert equal(weights(found), weights(PLAIN.finetune(work()).last))


def test_the_rate_is_held_where_the_schedule_was_or_where_it_is_said(work):
    falling = dataclasses.replace(PLAIN, schedule="linear", epochs=4)
    held = dataclasses.replace(falling, average=SWA(start=0.5)).finetune(work()).last
    said = dataclasses.replace(falling, average=SWA(start=0.5, rate=0.5)).finetune(work()).last
    low = dataclasses.replace(falling, average=SWA(start=0.5, rate=0.01)).finetune(work()).last
    assert equal(held, said), "a line is at a half after half of the steps"
    assert not equal(held, low)


def test_batch_statistics_are_those_that_torch_computes_for_the_average(work):
    material = work()
    found = dataclasses.replace(PLAIN, average=SWA(start=0.5)).finetune(material)
    network = Network(work().model, 3)
    network.load_state_dict(found.last)
    for norm in network.modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            norm.running_mean.fill_(7)
    batches = [material.train.batch(rows).inputs for rows in order(len(material.train), EVALUATION_BATCH, 0, 0)]
    update_bn(batches, network)
    torch.testing.assert_close(network.state_dict()["backbone.1.running_mean"], found.last["backbone.1.running_mean"])
    torch.testing.assert_close(network.state_dict()["backbone.1.running_var"], found.last["backbone.1.running_var"])


def test_statistics_of_a_backbone_that_stays_are_left_alone(work):
    recipe = make_recipe("linear-probe", average=SWA(), augment="augmix", epochs=2)
    start = Network(work().model, 3).state_dict()
    found = recipe.finetune(work()).last
    assert all(torch.equal(found[name], tensor) for name, tensor in start.items() if name.startswith("backbone."))


def test_refreshing_leaves_modes_and_momentum_as_they_were(work):
    material = work()
    network = Network(material.model, 3).train()
    norm = network.backbone[1]
    refresh(network, [norm], material.train, 0, CPU)
    assert (norm.momentum, norm.training, network.training) == (0.1, True, True)


def test_swa_learns_and_repeats(work):
    recipe = make_recipe("swa", epochs=8, batch=16)
    first, second = recipe.finetune(work()), recipe.finetune(work())
    assert first.curves[-1].val_accuracy > 0.8
    assert equal(first.best, second.best)
    assert equal(first.best, first.last)


class Kept:
    """A checkpoint in memory that stops a training after some epochs."""

    def __init__(self, stop: int) -> None:
        self.stop, self.content, self.count = stop, None, 0

    def read(self):
        return self.content

    def due(self):
        return True

    def write(self, content):
        self.content = content
        self.count += 1
        if self.count == self.stop:
            raise KeyboardInterrupt


@pytest.mark.parametrize("stop", [1, 3])
def test_an_interrupted_average_goes_on_bit_for_bit(work, stop):
    recipe = dataclasses.replace(PLAIN, schedule="cosine", average=SWA(start=0.5))
    kept = Kept(stop)
    with pytest.raises(KeyboardInterrupt):
        carry_out(recipe, dataclasses.replace(work(), checkpoint=kept))
    kept.stop = 0
    assert equal(carry_out(recipe, dataclasses.replace(work(), checkpoint=kept)).last, recipe.finetune(work()).last)
