"""What a Hugging Face image processor does to an image, measured by giving it images of one colour. Imports torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from windtunnel.core.model import Interpolation, Preprocessing
from windtunnel.errors import ModelError

# Pillow's numbers of its kernels. Lanczos has no differentiable twin; the nearest is bicubic.
KERNELS: dict[int, Interpolation] = {0: "nearest", 1: "bicubic", 2: "bilinear", 3: "bicubic"}

# Processors compute in float32, some in float16; recorded values are kept when they explain what was measured this well.
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Processed:
    """An image processor in our terms.

    Args:
        preprocessing: size, mean, std and interpolation.
        reversed_channels: the network wants blue, green, red.
    """

    preprocessing: Preprocessing
    reversed_channels: bool


def measure(processor: Any, title: str) -> Processed:
    """Read a processor's size off its output and check that its normalisation is what its settings say.

    Settings alone do not tell: some processors shift after rescaling, normalise twice or reverse the channels. Four images
    of one colour tell the affine map of each channel exactly.

    Raises:
        ModelError: the processor does something that a mean and a standard deviation per channel cannot express.
    """
    reverse = bool(getattr(processor, "do_flip_channel_order", False))
    black, white, red, blue = (_shown(processor, colour, title) for colour in ((0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 0, 255)))
    first, last = (blue, red) if reverse else (red, blue)
    offset, scale = black.mean((1, 2)), (white - black).mean((1, 2))
    expected = torch.stack([offset + scale * torch.tensor(channel) for channel in ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0))])
    found = torch.stack([first.mean((1, 2)), last.mean((1, 2))])
    flat = max(float(image.flatten(1).std(1).max()) for image in (black, white, red, blue)) < TOLERANCE
    if len(black) != 3 or not flat or not torch.allclose(expected, found, atol=TOLERANCE) or bool((scale <= 0).any()):
        raise ModelError(f"The image processor of {title} does more than resize and normalise; give `size`, `mean` and `std` to replace it.")
    mean, std = _normalisation(processor, offset, scale)
    height, width = black.shape[1:]
    kernel = KERNELS.get(int(getattr(processor, "resample", None) or 0), "bicubic")
    return Processed(Preprocessing((3, height, width), mean, std, kernel), reverse)


def _shown(processor: Any, colour: tuple[int, int, int], title: str) -> Tensor:
    image = np.full((256, 256, 3), colour, dtype=np.uint8)
    pixels = processor(images=image, return_tensors="pt")
    if not isinstance(pixels, Mapping) or "pixel_values" not in pixels or pixels["pixel_values"].ndim != 4:
        raise ModelError(f"The image processor of {title} does not answer with one image; give `size`, `mean` and `std` to replace it.")
    shown: Tensor = pixels["pixel_values"][0].float()
    return shown


def _normalisation(processor: Any, offset: Tensor, scale: Tensor) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The recorded mean and std where they explain the measured map, else the measured ones."""
    mean, std = -offset / scale, 1 / scale
    return _recorded(getattr(processor, "image_mean", None), mean), _recorded(getattr(processor, "image_std", None), std)


def _recorded(setting: Any, measured: Tensor) -> tuple[float, ...]:
    known = isinstance(setting, list | tuple) and len(setting) == len(measured)
    if known and torch.allclose(torch.tensor(setting), measured, atol=TOLERANCE):
        return tuple(float(value) for value in setting)
    # Five digits are beyond float32 rounding of the processor and give 0.5 for 0.49999997.
    return tuple(round(float(value), 5) for value in measured)
