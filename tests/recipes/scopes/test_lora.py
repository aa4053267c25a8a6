"""LoRA and IA3: what moves, that folding changes no answer, and networks that have no place for them."""

from __future__ import annotations

import copy

import pytest
import torch

import windtunnel as wt
from windtunnel.core.network import Network
from windtunnel.core.recipe import Material
from windtunnel.core.texts import Texts
from windtunnel.errors import RecipeError
from windtunnel.model_names import source
from windtunnel.recipes.scopes.blocks import structure
from windtunnel.recipes.scopes.lora import IA3, LoRA

IMAGES = torch.rand(3, 1, 32, 32, generator=torch.Generator().manual_seed(0))
TEXTS = Texts.of(["a dull film", "what a lovely day it was", "nobody went there"])
CASES = [
    (LoRA(), "windtunnel/micro-vit", IMAGES),
    (LoRA(convolutions=True), "windtunnel/micro-resnet", IMAGES),
    (LoRA(layers=("query", "value"), rank=2), "windtunnel/micro-bert", TEXTS),
    (IA3(), "windtunnel/micro-vit", IMAGES),
    (IA3(), "windtunnel/micro-bert", TEXTS),
]


@pytest.mark.parametrize(("scope", "model", "inputs"), CASES, ids=lambda value: str(getattr(value, "use", value))[:24])
def test_adapters_change_nothing_at_first_and_folding_them_changes_no_answer(scope, model, inputs):
    network = Network(source(model).load(), 5)
    plain, keys = network(inputs), list(network.state_dict())
    scope.insert(network, 0)
    torch.testing.assert_close(network.eval()(inputs), plain, rtol=1e-5, atol=1e-6)
    moving = scope.parameters(network, 1, 1)
    assert 0 < sum(each.numel() for each in moving) < 0.6 * sum(each.numel() for each in network.backbone.parameters())
    with torch.no_grad():
        for number, each in enumerate(moving):
            each.add_(0.1 * torch.randn(each.shape, generator=torch.Generator().manual_seed(number)))
    moved = network(inputs)
    assert not torch.allclose(moved, plain, atol=1e-3)
    scope.merge(network)
    assert list(network.state_dict()) == keys, "the victim is a plain network"
    torch.testing.assert_close(network(inputs), moved, rtol=1e-4, atol=1e-5)


def test_only_the_adapters_are_behind_what_lora_changes():
    """The weights of a fine-tuned layer differ from the pre-trained ones by a matrix of the rank; everything else is as it was."""
    victim = wt.finetune("windtunnel/micro-vit", wt.make_recipe("lora", rank=3, epochs=1, batch=256), "digits")
    start = dict(source("windtunnel/micro-vit").load().backbone.named_parameters())
    for name, after in victim.module.backbone.named_parameters():
        difference = (after - start[name]).detach()
        if name.endswith(("qkv.weight", "proj.weight", "fc1.weight", "fc2.weight")) and after.ndim == 2:
            values = torch.linalg.svdvals(difference.double())
            assert values[2] > 1e-5, name
            assert values[3] < 1e-4 * values[0], name
        else:
            assert not difference.any(), name


def test_the_matrices_are_drawn_by_the_seed_alone():
    def drawn(seed: int) -> list[torch.Tensor]:
        network = Network(source("windtunnel/micro-vit").load(), 2)
        LoRA().insert(network, seed)
        return [each.detach().clone() for each in LoRA().parameters(network, 1, 1)]

    first, second, other = drawn(0), drawn(0), drawn(1)
    assert all(torch.equal(one, two) for one, two in zip(first, second, strict=True))
    assert not all(torch.equal(one, two) for one, two in zip(first, other, strict=True))


def test_a_network_without_linear_layers_is_refused_before_anything_is_computed():
    layers, blocks = structure(source("windtunnel/micro-resnet").load().backbone)
    material = Material("micro-resnet", "digits", layers, blocks, (10, 10), 5)
    with pytest.raises(
        RecipeError, match=r"lora adapts linear layers, and micro-resnet has none; its layers are BatchNorm.*Conv2d.*convolutions: true"
    ):
        LoRA().check(material)
    LoRA(convolutions=True).check(material)
    with pytest.raises(RecipeError, match="ia3 adapts linear layers, and micro-resnet has none"):
        IA3().check(material)
    with pytest.raises(RecipeError, match="lora adapts linear layers"):
        wt.finetune("windtunnel/micro-resnet", "lora", "digits")


def test_layers_that_are_not_there_are_refused_with_those_that_are():
    layers, blocks = structure(source("windtunnel/micro-vit").load().backbone)
    material = Material("micro-vit", "digits", layers, blocks, (10, 10), 5)
    with pytest.raises(RecipeError, match=r"no linear layer called query; its linear layers are called qkv, proj, fc1, fc2"):
        LoRA(layers=("query",)).check(material)


def test_a_stage_after_lora_begins_with_the_folded_weights(work):
    recipe = wt.make_recipe(
        "finetune", stages=[{"scope": {"use": "lora", "convolutions": True, "rank": 2}, "epochs": 2}, {"scope": "full", "epochs": 2}], batch=16
    )
    done = recipe.finetune(work())
    assert copy.deepcopy(done.network).load_state_dict(done.best)
    assert {name.partition(".")[0] for name in done.best} == {"backbone", "head"}
    assert [epoch.stage for epoch in done.curves] == ["lora"] * 2 + ["full"] * 2
