"""Scopes that pick parameters by what they are, on small networks and on those of others."""

from __future__ import annotations

import pytest
import timm
import torch
from support.composed import CPU, equal
from support.language import CONFIGS
from support.small import Stripes
from torch import nn
from transformers import AutoModel, LlamaConfig

from windtunnel.core.model import Model, Preprocessing
from windtunnel.core.network import Network, tensors_sha256
from windtunnel.core.recipe import Finetuning
from windtunnel.errors import RecipeError
from windtunnel.recipes.scopes.by_kind import Biases, Layers, Norms, normalisations
from windtunnel.recipes.supervised import Supervised


def small(*, norm: bool = True, bias: bool = True) -> nn.Sequential:
    middle = nn.BatchNorm2d(6) if norm else nn.Identity()
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 6, 3, padding=1, bias=bias), middle, nn.ReLU()),
        nn.Conv2d(6, 6, 3, padding=1, bias=bias),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
    )


def material(make=small) -> Finetuning:
    splits = Stripes().load()
    with torch.random.fork_rng():
        torch.manual_seed(1)
        backbone = make().eval()
    model = Model("small", backbone, 24, None, Preprocessing((1, 8, 8), (0.5,), (0.25,)), tensors_sha256(backbone.state_dict()))
    return Finetuning(model, splits["train"], splits["val"], 0, CPU, lambda data: torch.zeros(0))


def moved(scope, make=small) -> set[str]:
    before = Network(material(make).model, 3).state_dict()
    after = Supervised(scope=scope, epochs=2, batch=20).finetune(material(make)).last
    return {name.removeprefix("backbone.") for name, value in after.items() if name.startswith("backbone.") and not torch.equal(value, before[name])}


def picked(scope, backbone: nn.Module) -> set[str]:
    model = Model("picked", backbone, 1, None, Preprocessing((1, 8, 8), (0.5,), (0.25,)), "")
    chosen = {id(each) for each in scope.parameters(Network(model, 2), 1, 1)}
    return {name for name, each in backbone.named_parameters() if id(each) in chosen}


STATISTICS = {"0.1.running_mean", "0.1.running_var", "0.1.num_batches_tracked"}


def test_norms_move_scale_shift_and_statistics_of_normalisation_and_nothing_else():
    assert moved("norms") == {"0.1.weight", "0.1.bias"} | STATISTICS


def test_biases_move_every_bias_and_nothing_else():
    assert moved("biases") - STATISTICS == {"0.0.bias", "0.1.bias", "1.bias"}


def test_layers_move_by_name_with_all_inside_them_and_the_rest_keeps_its_statistics():
    assert moved({"use": "layers", "names": ["0"]}) == {"0.0.weight", "0.0.bias", "0.1.weight", "0.1.bias"} | STATISTICS
    assert moved({"use": "layers", "names": ["1.weight"]}) == {"1.weight"}
    assert moved({"use": "layers", "names": ["1", "0.1"]}) == {"1.weight", "1.bias", "0.1.weight", "0.1.bias"} | STATISTICS


def test_all_layers_by_name_is_full_fine_tuning_to_the_byte():
    named, full = (
        Supervised(scope=scope, epochs=2, batch=20).finetune(material()).last for scope in ({"use": "layers", "names": ["0", "1"]}, "full")
    )
    assert equal(named, full)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: AutoModel.from_config(CONFIGS["bert"]()), "LayerNorm"),
        (lambda: AutoModel.from_config(CONFIGS["distilbert"]()), "ayer_norm|LayerNorm"),
        (lambda: AutoModel.from_config(CONFIGS["gpt2"]()), "ln_"),
        (
            lambda: AutoModel.from_config(
                LlamaConfig(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, vocab_size=50)
            ),
            "norm",
        ),
        (lambda: timm.create_model("vit_tiny_patch16_224", num_classes=0), "norm"),
        (lambda: timm.create_model("convnext_atto", num_classes=0), r"norm|stem\.1|downsample\.0"),
        (lambda: timm.create_model("efficientnet_lite0", num_classes=0), "bn"),
        (lambda: timm.create_model("resnet18", num_classes=0), r"bn|downsample\.1"),
    ],
)
def test_normalisation_is_found_in_networks_of_others_whatever_it_is_called(make, expected):
    with torch.device("meta"):
        backbone = make()
    held = picked(Norms(), backbone)
    import re

    assert held == {name for name, _ in backbone.named_parameters() if re.search(expected, name)}


def test_a_block_named_after_what_it_does_without_is_no_norm():
    with torch.device("meta"):
        backbone = timm.create_model("nfnet_l0", num_classes=0)
    assert normalisations(backbone) == []


def test_biases_are_found_under_the_names_that_others_give_them():
    with torch.device("meta"):
        beit = timm.create_model("beit_base_patch16_224", num_classes=0)
        swin = timm.create_model("swin_tiny_patch4_window7_224", num_classes=0)
        attention = nn.MultiheadAttention(8, 2)
    assert {"blocks.0.attn.q_bias", "blocks.0.attn.v_bias", "blocks.0.mlp.fc1.bias", "blocks.0.norm1.bias"} <= picked(Biases(), beit)
    assert not [name for name in picked(Biases(), swin) if "table" in name]
    assert picked(Biases(), attention) == {"in_proj_bias", "out_proj.bias"}


@pytest.mark.parametrize(
    ("scope", "make", "told"),
    [
        ("norms", lambda: small(norm=False), "no normalisation layer with parameters; its layers are Conv2d, Identity, ReLU"),
        ("biases", lambda: small(norm=False, bias=False), "no bias; its layers are Conv2d"),
        ({"use": "layers", "names": ["0", "2"]}, small, r"no layer '2' with parameters. Choose from: 0, 1\."),
        ({"use": "layers", "names": ["0.2"]}, small, r"no layer '0.2' with parameters. Did you mean '0.[01]'\? Choose from: 0.0, 0.1\."),
    ],
)
def test_what_a_network_lacks_is_refused_with_what_it_has(scope, make, told):
    with pytest.raises(RecipeError, match=told):
        Supervised(scope=scope, epochs=1).finetune(material(make))


def test_a_wrong_name_in_a_deep_network_is_told_from_where_it_goes_wrong():
    with torch.device("meta"):
        backbone = timm.create_model("vit_tiny_patch16_224", num_classes=0)
    with pytest.raises(RecipeError, match=r"no layer 'blocks.12'.*Did you mean 'blocks.\d+'\? Choose from: blocks.0, blocks.1, .*blocks.9\."):
        picked(Layers(names=("blocks.12",)), backbone)
    with pytest.raises(RecipeError, match=r"Choose from: blocks, cls_token, norm, patch_embed, pos_embed"):
        picked(Layers(names=("layer4",)), backbone)
    assert picked(Layers(names=("cls_token", "blocks.11.norm2")), backbone) == {"cls_token", "blocks.11.norm2.weight", "blocks.11.norm2.bias"}


def test_no_names_are_refused():
    with pytest.raises(ValueError, match="names"):
        Layers(names=())
