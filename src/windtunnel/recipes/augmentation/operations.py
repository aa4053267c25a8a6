"""Operations on images that augmentations are made of, each at a level for every image. Imports torch.

Source:
    The nine operations of AugMix, Hendrycks et al. 2020, arXiv 1912.02781, which do not overlap with the ImageNet-C corruptions; levels from 0
    to 10, and their meaning, as in its reference implementation.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn


def _levels(images: Tensor) -> Tensor:
    """Images as 8-bit grey levels, on which the published operations are defined."""
    return (images * 255).round().long()


def autocontrast(images: Tensor, level: Tensor) -> Tensor:
    """Stretch each channel to the full range."""
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    spread = high - low
    return torch.where(spread > 0, (images - low) / spread.clamp_min(1e-6), images)


def equalize(images: Tensor, level: Tensor) -> Tensor:
    """Flatten each channel's histogram."""
    count, channels, height, width = images.shape
    values = _levels(images).view(count * channels, -1)
    histogram = torch.zeros(count * channels, 256, dtype=torch.long, device=images.device)
    histogram.scatter_add_(1, values, torch.ones_like(values))
    last = histogram.gather(1, values.amax(1, keepdim=True))
    step = (height * width - last) // 255
    before = histogram.cumsum(1) - histogram
    table = ((before + step // 2) // step.clamp_min(1)).clamp(0, 255)
    flat = torch.where(step > 0, table.gather(1, values), values)
    return (flat.view_as(images) / 255).to(images)


def posterize(images: Tensor, level: Tensor) -> Tensor:
    """Keep the highest 4 - level * 4 / 10 bits."""
    shift = 8 - (4 - (level.abs() * 4 / 10).long()).view(-1, 1, 1, 1)
    return ((_levels(images) >> shift << shift) / 255).to(images)


def solarize(images: Tensor, level: Tensor) -> Tensor:
    """Invert levels from 256 - level * 25.6 upwards."""
    threshold = (256 - (level.abs() * 256 / 10).long()).view(-1, 1, 1, 1)
    return torch.where(_levels(images) >= threshold, 1 - images, images)


def rotate(images: Tensor, level: Tensor) -> Tensor:
    """Rotate by up to level * 3 degrees."""
    angle = level.sign() * (level.abs() * 30 / 10).floor() * (math.pi / 180)
    return _affine(images, angle.cos(), -angle.sin(), angle.sin(), angle.cos())


def shear_x(images: Tensor, level: Tensor) -> Tensor:
    """Shear rows by level * 0.03."""
    one = torch.ones_like(level)
    return _affine(images, one, level * 0.3 / 10, torch.zeros_like(level), one)


def shear_y(images: Tensor, level: Tensor) -> Tensor:
    """Shear columns by level * 0.03."""
    one = torch.ones_like(level)
    return _affine(images, one, torch.zeros_like(level), level * 0.3 / 10, one)


def translate_x(images: Tensor, level: Tensor) -> Tensor:
    """Shift columns by whole pixels, up to level / 30 of the width."""
    return _affine(images, *_identity(level), right=_pixels(level, images.shape[3]))


def translate_y(images: Tensor, level: Tensor) -> Tensor:
    """Shift rows by whole pixels, up to level / 30 of the height."""
    return _affine(images, *_identity(level), down=_pixels(level, images.shape[2]))


OPERATIONS: tuple[Callable[[Tensor, Tensor], Tensor], ...] = (
    autocontrast,
    equalize,
    posterize,
    rotate,
    solarize,
    shear_x,
    shear_y,
    translate_x,
    translate_y,
)


def _identity(level: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    one, zero = torch.ones_like(level), torch.zeros_like(level)
    return one, zero, zero, one


def _pixels(level: Tensor, size: int) -> Tensor:
    return level.sign() * (level.abs() * (size / 3) / 10).floor()


def _affine(images: Tensor, xx: Tensor, xy: Tensor, yx: Tensor, yy: Tensor, *, right: Tensor | None = None, down: Tensor | None = None) -> Tensor:
    """Sample each output pixel (x, y), counted from the centre, at (xx x + xy y + right, yx x + yy y + down); black outside."""
    height, width = images.shape[2:]
    zero = torch.zeros_like(xx)
    # grid_sample counts from -1 to 1, so a non-square image needs its sides' ratio off the diagonal.
    first = torch.stack([xx, xy * height / width, (zero if right is None else right) * 2 / width], 1)
    second = torch.stack([yx * width / height, yy, (zero if down is None else down) * 2 / height], 1)
    grid = nn.functional.affine_grid(torch.stack([first, second], 1), list(images.shape), align_corners=False)
    return nn.functional.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
