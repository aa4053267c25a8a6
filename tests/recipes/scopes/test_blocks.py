"""Blocks are what a person would call the blocks of a network, whoever wrote it; and what is made of them."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import timm
import torch
import torchvision
from support.composed import equal
from support.language import CONFIGS
from support.stack import Stack, stacked
from torch import nn
from transformers import AlbertConfig, AutoModel, ViTConfig

from windtunnel.core.network import Network
from windtunnel.errors import RecipeError
from windtunnel.model_names import source
from windtunnel.recipes.checkpointing import checkpointed
from windtunnel.recipes.scopes.blocks import blocks, depths
from windtunnel.recipes.scopes.by_depth import FirstBlocks, Gradual, LastBlocks
from windtunnel.recipes.supervised import Supervised


def numbered(pattern: str, *numbers: int) -> tuple[str, ...]:
    return tuple(pattern.format(number) for number in numbers)


def found(backbone: nn.Module):
    return blocks(SimpleNamespace(backbone=backbone))


def names(backbone: nn.Module, parameters) -> set[str]:
    """Of the modules that hold these parameters."""
    held = {id(each): name.rpartition(".")[0] for name, each in backbone.named_parameters()}
    return {held[id(each)] for each in parameters}


def meta(make):
    """A network of shapes alone, which takes no time to build."""
    with torch.device("meta"):
        return make()


def headless(name: str) -> nn.Module:
    """A torchvision network as it is split from its head."""
    network = getattr(torchvision.models, name)(weights=None)
    for layer in ("fc", "heads", "head"):
        if hasattr(network, layer):
            setattr(network, layer, nn.Identity())
    if isinstance(getattr(network, "classifier", None), nn.Sequential):
        network.classifier[-1] = nn.Identity()
    elif hasattr(network, "classifier"):
        network.classifier = nn.Identity()
    return network


LAYERS = tuple(range(12))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("micro-resnet", numbered("layer{}", 1, 2, 3, 4)),
        ("micro-vit", numbered("blocks.{}", 0, 1, 2, 3)),
        ("micro-bert", numbered("network.network.bert.encoder.layer.{}", 0, 1, 2, 3)),
    ],
)
def test_blocks_of_the_networks_that_are_shipped(name, expected):
    assert found(source(f"windtunnel/{name}").load().backbone).names == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("resnet18", numbered("layer{}", 1, 2, 3, 4)),
        ("vit_tiny_patch16_224", numbered("blocks.{}", *LAYERS)),
        ("efficientnet_lite0", numbered("blocks.{}", 0, 1, 2, 3, 4, 5, 6)),
        ("convnext_atto", numbered("stages.{}", 0, 1, 2, 3)),
        ("swin_tiny_patch4_window7_224", numbered("layers.{}", 0, 1, 2, 3)),
        ("resnetv2_50", numbered("stages.{}", 0, 1, 2, 3)),
        ("mobilenetv3_small_050", numbered("blocks.{}", 0, 1, 2, 3, 4, 5)),
        ("regnetx_002", numbered("s{}", 1, 2, 3, 4)),
        ("mixer_s32_224", numbered("blocks.{}", *range(8))),
        ("densenet121", numbered("features.denseblock{}", 1, 2, 3, 4)),
    ],
)
def test_blocks_of_timm_networks(name, expected):
    assert found(meta(lambda: timm.create_model(name, pretrained=False, num_classes=0))).names == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("resnet18", numbered("layer{}", 1, 2, 3, 4)),
        ("vit_b_16", numbered("encoder.layers.encoder_layer_{}", *LAYERS)),
        ("densenet121", numbered("features.denseblock{}", 1, 2, 3, 4)),
        ("convnext_tiny", numbered("features.{}", 1, 3, 5, 7)),
        ("swin_t", numbered("features.{}", 1, 3, 5, 7)),
        ("efficientnet_b0", numbered("features.{}", 1, 2, 3, 4, 5, 6, 7)),
        ("mobilenet_v3_small", numbered("features.{}", *range(1, 12))),
        ("shufflenet_v2_x0_5", numbered("stage{}", 2, 3, 4)),
    ],
)
def test_blocks_of_torchvision_networks(name, expected):
    assert found(meta(lambda: headless(name))).names == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bert", numbered("encoder.layer.{}", 0, 1)),
        ("roberta", numbered("encoder.layer.{}", 0, 1)),
        ("distilbert", numbered("transformer.layer.{}", 0, 1)),
        ("deberta-v2", numbered("encoder.layer.{}", 0, 1)),
        ("modernbert", numbered("layers.{}", 0, 1)),
        ("gpt2", numbered("h.{}", 0, 1)),
    ],
)
def test_blocks_of_language_models(name, expected):
    assert found(AutoModel.from_config(CONFIGS[name]())).names == expected


def test_blocks_of_a_vision_transformer_most_of_which_is_embeddings():
    small = ViTConfig(hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=32)
    backbone = AutoModel.from_config(small)
    assert [type(each).__name__ for each in found(backbone).modules] == ["ViTLayer"] * 3


def test_every_parameter_is_in_one_place():
    for backbone in (meta(lambda: headless("densenet121")), meta(lambda: headless("swin_t")), AutoModel.from_config(CONFIGS["deberta-v2"]())):
        parted = found(backbone)
        placed = [id(each) for some in (parted.before, *parted.held, parted.after) for each in some]
        assert sorted(placed) == sorted(id(each) for each in backbone.parameters())


def test_what_lies_between_two_blocks_goes_with_the_later_one():
    backbone = meta(lambda: headless("densenet121"))
    parted = found(backbone)
    assert names(backbone, parted.before) == {"features.conv0", "features.norm0"}
    assert names(backbone, parted.after) == {"features.norm5"}
    for number in (1, 2, 3):
        assert {f"features.transition{number}.conv", f"features.transition{number}.norm"} <= names(backbone, parted.held[number])


def test_embeddings_are_ahead_of_the_blocks_wherever_they_are_registered():
    backbone = AutoModel.from_config(CONFIGS["deberta-v2"]())
    assert "encoder.rel_embeddings" in names(backbone, found(backbone).before)
    backbone = AutoModel.from_config(CONFIGS["bert"]())
    assert names(backbone, found(backbone).after) == {"pooler.dense"}


@pytest.mark.parametrize(
    "make",
    [
        lambda: headless("vgg11"),
        lambda: nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.Conv2d(4, 4, 3)),
        lambda: AutoModel.from_config(
            AlbertConfig(hidden_size=16, embedding_size=8, num_attention_heads=2, intermediate_size=32, num_hidden_layers=3, vocab_size=50)
        ),
    ],
    ids=["vgg11", "plain layers", "one layer that is used thrice"],
)
def test_a_network_without_blocks_is_refused_with_what_it_is_made_of(make):
    backbone = meta(make)
    first = next(name for name, _ in backbone.named_children())
    with pytest.raises(RecipeError, match=rf"no blocks.* made of {first}.*scope `layers`"):
        found(backbone)


def moved(recipe: Supervised) -> set[str]:
    """Tensors of the backbone that a training has changed."""
    before = Network(stacked().model, 3).state_dict()
    after = recipe.finetune(stacked()).last
    return {name.removeprefix("backbone.") for name, value in after.items() if name.startswith("backbone.") and not torch.equal(value, before[name])}


def everything(*prefixes: str) -> set[str]:
    return {name for name in Stack().state_dict() if name.startswith(prefixes)}


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({"use": "last-blocks"}, ("blocks.2", "norm")),
        ({"use": "last-blocks", "blocks": 2}, ("blocks.1", "blocks.2", "norm")),
        ({"use": "first-blocks"}, ("stem", "blocks.0")),
        ({"use": "first-blocks", "blocks": 3}, ("stem", "blocks")),
        ({"use": "head"}, ()),
    ],
)
def test_a_scope_by_depth_moves_its_part_and_leaves_the_rest_with_its_batch_statistics(scope, expected):
    recipe = Supervised(scope=scope, epochs=2, batch=20, augment="augmix" if scope["use"] == "head" else ())
    assert moved(recipe) == (everything(*expected) if expected else set())


def test_gradual_unfreezing_moves_one_block_more_each_epoch_and_the_stem_at_last():
    reached = [moved(Supervised(scope="gradual", epochs=epochs, batch=20, select="last")) for epochs in range(1, 6)]
    assert reached == [
        set(),
        everything("blocks.2", "norm"),
        everything("blocks.1", "blocks.2", "norm"),
        everything("blocks", "norm"),
        everything("stem", "blocks", "norm"),
    ]
    assert moved(Supervised(scope={"use": "gradual", "every": 2}, epochs=3, batch=20)) == everything("blocks.2", "norm")


def test_more_blocks_than_there_are_is_refused_with_their_names():
    for scope in (LastBlocks(blocks=4), FirstBlocks(blocks=4)):
        with pytest.raises(RecipeError, match=r"4 blocks .* has 3: blocks.0, blocks.1, blocks.2"):
            Supervised(scope=scope, epochs=1).finetune(stacked())


def test_the_rate_falls_from_block_to_block_as_the_power_of_its_decay():
    network = Network(stacked().model, 3)
    away = depths(network)
    expected = {"head": None, "norm": 0, "blocks.2": 1, "blocks.1": 2, "blocks.0": 3, "stem": 4}
    for name, parameter in network.named_parameters():
        place = next(key for key in expected if name.removeprefix("backbone.").startswith(key))
        assert away.get(id(parameter)) == expected[place], name


def test_a_step_of_sgd_is_as_much_shorter_as_the_layer_decay_says():
    plain = {"optimizer": "sgd", "epochs": 1, "batch": 60, "lr": 1e-3, "warmup": 0.0, "weight_decay": 0, "schedule": "constant", "select": "last"}
    before = Network(stacked().model, 3).state_dict()
    whole, decayed = (Supervised(**plain, layer_decay=decay).finetune(stacked()).last for decay in (1.0, 0.5))
    powers = {"head.weight": 0, "backbone.norm.weight": 0, "backbone.blocks.2.conv.weight": 1, "backbone.stem.weight": 4}
    for name, power in powers.items():
        torch.testing.assert_close(decayed[name] - before[name], (whole[name] - before[name]) * 0.5**power, rtol=1e-2, atol=1e-8)


@pytest.mark.parametrize("scope", ["full", {"use": "last-blocks", "blocks": 2}])
def test_checkpointing_changes_no_byte_of_what_is_trained(scope):
    """Not the gradients, not the dropout, not the batch statistics, which a second pass would count twice."""
    recipe = Supervised(scope=scope, epochs=2, batch=20, lr=1e-2)
    plain, saved = recipe.finetune(stacked()), replace(recipe, checkpointing=True).finetune(stacked())
    assert equal(plain.last, saved.last)
    assert not any("forward" in vars(module) for module in saved.network.modules())


def test_checkpointing_keeps_fewer_activations():
    network, images = Network(stacked().model, 3).train(), torch.rand(8, 1, 8, 8)

    def kept(*, on: bool) -> int:
        sizes: list[int] = []
        with (
            checkpointed(network, on=on),
            torch.autograd.graph.saved_tensors_hooks(lambda each: sizes.append(each.numel()) or each, lambda each: each),
        ):
            network(images)
        return sum(sizes)

    assert kept(on=True) < kept(on=False) / 2


def test_a_forward_that_a_block_has_of_its_own_is_given_back():
    network = Network(stacked().model, 3)
    block = found(network.backbone).modules[0]
    own = block.forward
    block.forward = own
    with checkpointed(network, on=True):
        assert block.forward is not own
    assert block.forward == own


def test_gradual_counts_its_blocks_from_the_output():
    network = Network(stacked().model, 3)
    scope = Gradual()
    assert scope.parameters(network, 1, 9) == []
    assert names(network.backbone, scope.parameters(network, 2, 9)) == {"blocks.2.conv", "blocks.2.norm", "norm"}
