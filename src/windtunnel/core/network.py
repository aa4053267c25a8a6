"""Network: a backbone with its preprocessing and a fresh linear head; what recipes train. Imports torch."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from windtunnel.core.batch import Rows
from windtunnel.core.dataset import Dataset
from windtunnel.core.model import Model, Preprocessing
from windtunnel.core.reader import Reader
from windtunnel.errors import VictimError
from windtunnel.seeding import generator


class Preprocess(nn.Module):
    """Resize, match channels and normalise inputs in [0, 1] to what the weights expect.

    Shapes:
        inputs (batch, 1 or 3, any height, any width); returns (batch, *preprocessing.size).
    Raises:
        VictimError: texts.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.preprocessing = preprocessing
        shape = (1, -1, 1, 1)
        self.register_buffer("mean", torch.tensor(preprocessing.mean).view(shape), persistent=False)
        self.register_buffer("std", torch.tensor(preprocessing.std).view(shape), persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Inputs as the network wants them."""
        if not isinstance(inputs, Tensor):
            raise VictimError(f"This network takes images, and was given {type(inputs).__name__}; fine-tune a text model for texts.")
        channels, height, width = self.preprocessing.size
        if inputs.shape[1] != channels:
            # Grey to colour repeats; colour to grey weighs as ITU-R BT.601 does.
            weights = inputs.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
            inputs = inputs.expand(-1, channels, -1, -1) if channels == 3 else (inputs * weights).sum(1, keepdim=True)
        if inputs.shape[2:] != (height, width):
            mode = self.preprocessing.interpolation
            smooth = mode != "nearest"
            inputs = nn.functional.interpolate(inputs, (height, width), mode=mode, align_corners=False if smooth else None, antialias=smooth)
        return (inputs - self.mean) / self.std


class Network(nn.Module):
    """Preprocessing, backbone, dropout, linear head: images in [0, 1] or texts in, logits out.

    Args:
        model: where backbone and preprocessing come from; its backbone is used, not copied.
        classes: number of logits.
        dropout: share of features dropped before the head while training.
        seed: keys the head's initialisation.
    """

    def __init__(self, model: Model, classes: int, *, dropout: float = 0.0, seed: int = 0) -> None:
        super().__init__()
        expected = model.preprocessing
        self.preprocess = Preprocess(expected) if isinstance(expected, Preprocessing) else nn.Identity()
        self.backbone = model.backbone
        self.dropout = nn.Dropout(dropout)
        self.head: nn.Linear = nn.utils.skip_init(nn.Linear, model.features, classes)  # type: ignore[no-untyped-call]  # torch does not annotate it
        # Small normal weights, zero bias (as timm and transformers initialise new heads), from a keyed generator.
        draws = generator(seed, "head").standard_normal((classes, model.features))
        with torch.no_grad():
            self.head.weight.copy_(torch.from_numpy(draws * 0.02))
            self.head.bias.zero_()
        self.eval()

    def features(self, inputs: Rows) -> Tensor:
        """What the head sees, (batch, features)."""
        found: Tensor = self.backbone(self.preprocess(inputs))
        return found

    def without_backbone(self) -> Network:
        """The same dropout and head over features, as a network whose inputs are features."""
        other = copy.copy(self)
        other._modules = {**self._modules, "preprocess": nn.Identity(), "backbone": nn.Identity()}
        return other

    def with_own_head(self) -> Network:
        """A network of which all but the head is shared with this one."""
        other = copy.copy(self)
        other._modules = {**self._modules, "head": copy.deepcopy(self.head)}
        return other

    def lengths(self, data: Dataset) -> list[int] | None:
        """Tokens of each sample, so that like can be put to like; None for images, which are all of one size."""
        return self.backbone.lengths(data.texts()) if isinstance(self.backbone, Reader) else None

    def classify(self, features: Tensor) -> Tensor:
        """Logits of features, (batch, classes)."""
        logits: Tensor = self.head(self.dropout(features))
        return logits

    def forward(self, inputs: Rows) -> Tensor:
        """Logits, (batch, classes)."""
        return self.classify(self.features(inputs))


def tensors_sha256(tensors: Mapping[str, Tensor]) -> str:
    """Digest over names, types, shapes and values, independent of the order and of the file format."""
    hasher = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        hasher.update(f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
        hasher.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return hasher.hexdigest()
