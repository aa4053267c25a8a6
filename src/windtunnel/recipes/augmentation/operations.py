"""Operations on the values of images that augmentations are made of, each with an amount for every image. Imports torch.

Shapes:
    images (batch, any number of channels, height, width), float in [0, 1]; amounts (batch,); returns images of the same shape in [0, 1].
Source:
    Pillow's `ImageOps` and `ImageEnhance`, on which AutoAugment, Cubuk et al. 2019, arXiv 1805.09501, table 6, defines them.
Deviation:
    Results are not rounded to 8-bit levels, save where an operation is about levels (equalize, posterize).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

Operation = Callable[[Tensor, Tensor], Tensor]

GREY = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in brightness. Source: ITU-R BT.601, as Pillow has them."""


def _levels(images: Tensor) -> Tensor:
    """Images as 8-bit levels, on which the published operations are defined."""
    return (images * 255).round().long()


def _column(amount: Tensor) -> Tensor:
    return amount.view(-1, 1, 1, 1)


def identity(images: Tensor, amount: Tensor) -> Tensor:
    """The images as they are."""
    return images


def autocontrast(images: Tensor, amount: Tensor) -> Tensor:
    """Stretch each channel to the full range."""
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    spread = high - low
    return torch.where(spread > 0, (images - low) / spread.clamp_min(1e-6), images)


def equalize(images: Tensor, amount: Tensor) -> Tensor:
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


def posterize(images: Tensor, amount: Tensor) -> Tensor:
    """Keep so many of the eight bits, from the highest downwards."""
    shift = _column(8 - amount.round().long())
    return ((_levels(images) >> shift << shift) / 255).to(images)


def solarize(images: Tensor, amount: Tensor) -> Tensor:
    """Invert what is at least as bright as a threshold in [0, 1], or beyond 1 to invert nothing."""
    # A trifle below, so that float rounding decides nothing on the 8-bit grid.
    return torch.where(images >= _column(amount) - 1e-6, 1 - images, images)


def brightness(images: Tensor, amount: Tensor) -> Tensor:
    """Multiply by a factor; 0 is black."""
    return (images * _column(amount)).clamp(0, 1)


def colour(images: Tensor, amount: Tensor) -> Tensor:
    """Move away from grey by a factor; 0 is grey. Images of one channel stay as they are."""
    return images if images.shape[1] == 1 else _blended(images, _grey(images), amount)


def contrast(images: Tensor, amount: Tensor) -> Tensor:
    """Move away from the mean grey of each image by a factor; 0 is that grey."""
    return _blended(images, _grey(images).mean((2, 3), keepdim=True), amount)


def sharpness(images: Tensor, amount: Tensor) -> Tensor:
    """Move away from a smoothed image by a factor; 0 is smooth. The outermost pixels stay as they are."""
    if min(images.shape[2:]) < 3:
        return images
    # The kernel is ones around a five, over their sum: a box of nine, and the centre four times more.
    inner = images[:, :, 1:-1, 1:-1]
    smooth = (nn.functional.avg_pool2d(images, 3, 1) * 9 + 4 * inner) / 13
    factor = _column(amount)
    changed = images.clone()
    changed[:, :, 1:-1, 1:-1] = (smooth + factor * (inner - smooth)).clamp(0, 1)
    return changed


def _grey(images: Tensor) -> Tensor:
    """Brightness, (batch, 1, height, width); the mean where the channels are not red, green and blue."""
    if images.shape[1] != len(GREY):
        return images.mean(1, keepdim=True)
    return (images * images.new_tensor(GREY).view(1, -1, 1, 1)).sum(1, keepdim=True)


def _blended(images: Tensor, zero: Tensor, amount: Tensor) -> Tensor:
    return (zero + _column(amount) * (images - zero)).clamp(0, 1)
