"""The small pre-trained networks that ship with the package.

Both are ordinary timm networks, made small enough to be attacked on a CPU, and were pre-trained by the
scripts under `tools/pretrain`; a model card lies beside each weights file.

Importing this module loads no torch; `build` does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from windtunnel.core.model import Preprocessing
from windtunnel.errors import UnknownNameError, suggest

if TYPE_CHECKING:
    from torch import Tensor, nn

CLASSES = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
"""The garments of fashion-mnist: what the shipped classifiers were trained to tell apart, in logit order."""


@dataclass(frozen=True)
class ZooEntry:
    """One network of the zoo.

    Args:
        builder: returns the randomly initialised network for a number of classes.
        weights: file name of its weights, in the folder `weights` beside this module.
        preprocessing: the normalisation that belongs to the weights; it is not inside the network.
    """

    builder: Callable[[int], nn.Module]
    weights: str
    preprocessing: Preprocessing


def to_channels_last(module: nn.Module, inputs: object, output: Tensor) -> Tensor:
    """Forward hook that lays activations out with the channel last; values stay as they are.

    On AVX2 the convolutions after it run a third faster. The parameters keep their usual layout, so that
    saving them needs no care.
    """
    import torch

    return output.contiguous(memory_format=torch.channels_last)


def build_micro_resnet(classes: int) -> nn.Module:
    """Build a ResNet of four stages with one basic block each, 16 to 128 channels.

    The stem is one 3x3 convolution of stride 2 without pooling, as 32x32 images leave nothing to pool.
    """
    from timm.models.resnet import BasicBlock, ResNet
    from torch import nn

    channels = (16, 24, 64, 128)
    # timm sizes the stem that we replace from stem_width only if it is "deep": twice stem_width channels.
    net = ResNet(BasicBlock, (1, 1, 1, 1), classes, in_chans=1, stem_type="deep", stem_width=channels[0] // 2, channels=channels)
    stem = nn.Conv2d(1, channels[0], kernel_size=3, stride=2, padding=1, bias=False)
    nn.init.kaiming_normal_(stem.weight, mode="fan_out", nonlinearity="relu")  # as timm starts every convolution
    stem.register_forward_hook(to_channels_last)
    net.conv1 = stem
    net.maxpool = nn.Identity()
    built: nn.Module = net
    return built


def build_micro_vit(classes: int) -> nn.Module:
    """Build a vision transformer of depth 4 and width 96 on 16 patches of 8x8 pixels, mean-pooled."""
    from timm.models.vision_transformer import VisionTransformer
    from torch import nn

    patch, width = 8, 96
    net: nn.Module = VisionTransformer(
        img_size=32, patch_size=patch, in_chans=1, num_classes=classes, global_pool="avg", class_token=False,
        embed_dim=width, depth=4, num_heads=3, mlp_ratio=2.0,
    )  # fmt: skip
    # The same linear map of each patch as timm's strided convolution, whose gradient by the input is slow on CPUs.
    embedding = net.get_submodule("patch_embed")
    embedding.proj = nn.Sequential(nn.PixelUnshuffle(patch), nn.Conv2d(patch * patch, width, kernel_size=1))
    return net


# Mean and standard deviation of the pixels of fashion-mnist's training images, padded to 32x32.
_GREY_32 = Preprocessing(mean=(0.2190,), std=(0.3318,), size=(1, 32, 32))

ZOO: Mapping[str, ZooEntry] = MappingProxyType(
    {
        "micro-resnet": ZooEntry(build_micro_resnet, "micro-resnet.safetensors", _GREY_32),
        "micro-vit": ZooEntry(build_micro_vit, "micro-vit.safetensors", _GREY_32),
    }
)
"""Every network of the zoo by its name."""


def entry(name: str) -> ZooEntry:
    """Return the zoo's entry for a name, with or without the prefix `windtunnel/`.

    Raises:
        UnknownNameError: no network of that name.
    """
    short = name.removeprefix("windtunnel/")
    if short not in ZOO:
        raise UnknownNameError(f"the zoo has no network {name!r}. {suggest(short, ZOO)}")
    return ZOO[short]


def weights_path(name: str) -> Path:
    """Return where the pre-trained weights of a network are installed."""
    return Path(__file__).parent / "weights" / entry(name).weights


def preprocessing(name: str) -> Preprocessing:
    """Return the mean, the standard deviation and the input size that belong to a network."""
    return entry(name).preprocessing


def build(name: str, *, pretrained: bool = True) -> nn.Module:
    """Build a network of the zoo in evaluation mode, with its classifier over the ten `CLASSES`.

    Args:
        name: a name in `ZOO`, with or without the prefix `windtunnel/`.
        pretrained: load the shipped weights; else the random start comes from torch's global generator.
    Shapes:
        The network maps (batch, 1, 32, 32), normalised by `preprocessing`, to logits (batch, 10).
    Raises:
        UnknownNameError: no network of that name.
    """
    chosen = entry(name)
    net = chosen.builder(len(CLASSES))
    if pretrained:
        from safetensors.torch import load_file

        # Stored in half precision; load_state_dict casts to the parameters' float32 as it copies.
        net.load_state_dict(load_file(weights_path(name)), strict=True)
    return net.eval()
