"""A classifier as it came, and the classes that its logits stand for."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from support.small import Stripes, Tiny

from windtunnel.core.classes import groups, imagenet_ids, output_names
from windtunnel.core.recipe import Finetuning
from windtunnel.core.victim import Victim
from windtunnel.errors import DataError, RecipeError
from windtunnel.models.packaged import ZooModel
from windtunnel.recipes.pretrained import Pretrained

CPU = torch.device("cpu")


def work(model, classes=("up", "down", "left")):
    data = dataclasses.replace(Stripes().load().any.take(()), classes=tuple(classes))

    def features(part):
        raise AssertionError("nothing is trained")

    return Finetuning(model, data, data, 0, CPU, features)


def test_the_network_answers_as_the_one_that_came_with_the_weights():
    source = ZooModel(name="micro-resnet")
    done = Pretrained().finetune(work(source.load(), [str(number) for number in range(10)]))
    inputs = torch.rand(5, 1, 32, 32)
    whole = source.build()
    mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in (whole.preprocessing.mean, whole.preprocessing.std))
    torch.testing.assert_close(done.network(inputs), whole.network((inputs - mean) / std), rtol=1e-4, atol=1e-5)
    assert done.curves == ()
    assert Pretrained().passes(1000) == 0


def test_a_model_without_a_head_is_refused_with_a_way_out():
    with pytest.raises(RecipeError, match=r"tiny comes without a classifier of its own .* linear-probe"):
        Pretrained().finetune(work(Tiny().load()))


def test_another_number_of_classes_is_refused_with_a_way_out():
    with pytest.raises(DataError, match=r"answers with 10 logits and the data has 3 classes.*Fine-tune it"):
        Pretrained().finetune(work(ZooModel(name="micro-resnet").load()))


def test_a_thousand_logits_are_imagenets_in_the_order_of_the_challenge():
    ids = imagenet_ids()
    assert (len(ids), ids[0], ids[999]) == (1000, "n01440764", "n15075141")  # tench and toilet tissue
    some = (ids[7], ids[3])
    assert output_names(1000, some) == ids
    assert groups(ids, some) == ((7,), (3,))
    assert groups(output_names(1000, ("999", "0")), ("999", "0")) == ((999,), (0,))
    assert groups(ids, ids) is None
    with pytest.raises(DataError, match="no 'n99999999'"):
        groups(ids, ("n99999999", ids[0]))
    with pytest.raises(DataError, match="1000 logits and the data has 2 classes"):
        output_names(1000, ("cat", "dog"))


def test_as_many_logits_as_classes_are_taken_to_be_these():
    assert output_names(2, ("cat", "dog")) == ("cat", "dog")


def test_a_view_lets_only_some_logits_compete_and_joins_those_that_one_class_covers():
    logits = torch.tensor([[5.0, 1.0, 2.0, 3.0], [0.0, 4.0, 1.0, -1.0]])
    victim = Victim.of(lambda inputs: logits[: len(inputs)])
    victim.classes = ("a", "b", "c", "d")
    seen = victim.on(("d", "b|c"))
    assert seen.classes == ("d", "b|c")
    assert torch.equal(seen.logits(torch.zeros(2, 1)), torch.tensor([[3.0, 2.0], [-1.0, 4.0]]))
    assert victim.on(("a", "b", "c", "d")) is victim
    with pytest.raises(DataError, match=r"among which is no 'e'; a classifier can only be evaluated on its own classes"):
        victim.on(("a", "e"))


def test_gradients_come_through_a_view():
    weight = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    victim = Victim.of(lambda inputs: inputs.flatten(1) @ weight.T)
    victim.classes = ("a", "b", "c", "d")
    _, _, slope = victim.on(("c", "a")).gradient(torch.rand(2, 3, 1, 1), lambda logits: logits[:, 0])
    torch.testing.assert_close(slope.flatten(1), weight[2].expand(2, 3))
