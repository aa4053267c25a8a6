"""Moving the pixels of images, another way for every image. Imports torch.

A movement is a matrix for each image, (batch, 2, 3): output pixel (x, y), counted in pixels from the centre, shows what was at
(m00 x + m01 y + m02, m10 x + m11 y + m12). So movements of several kinds are carried out at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

Movement = Callable[[Tensor, int, int], Tensor]
"""Amounts (batch,), height and width to matrices."""

Interpolation = Literal["nearest", "bilinear"]


def rotation(amount: Tensor, height: int, width: int) -> Tensor:
    """Counter-clockwise about the centre, in degrees."""
    angle = amount * (math.pi / 180)
    return _matrix(angle.cos(), -angle.sin(), angle.sin(), angle.cos())


def shear_x(amount: Tensor, height: int, width: int) -> Tensor:
    """Each row to the left by a slope times its distance from the upper edge."""
    one, zero = torch.ones_like(amount), torch.zeros_like(amount)
    return _matrix(one, amount, zero, one, right=amount * height / 2)


def shear_y(amount: Tensor, height: int, width: int) -> Tensor:
    """Each column upwards by a slope times its distance from the left edge."""
    one, zero = torch.ones_like(amount), torch.zeros_like(amount)
    return _matrix(one, zero, amount, one, down=amount * width / 2)


def translation_x(amount: Tensor, height: int, width: int) -> Tensor:
    """To the left, in pixels."""
    one, zero = torch.ones_like(amount), torch.zeros_like(amount)
    return _matrix(one, zero, zero, one, right=amount)


def translation_y(amount: Tensor, height: int, width: int) -> Tensor:
    """Upwards, in pixels."""
    one, zero = torch.ones_like(amount), torch.zeros_like(amount)
    return _matrix(one, zero, zero, one, down=amount)


def moved(images: Tensor, matrices: Tensor, interpolation: Interpolation = "bilinear") -> Tensor:
    """Images with their pixels moved; black where nothing was.

    Shapes:
        images (batch, channel, height, width); matrices (batch, 2, 3).
    """
    height, width = images.shape[2:]
    # grid_sample counts from -1 to 1, so a non-square image needs its sides' ratio off the diagonal.
    scale = matrices.new_tensor([[1, height / width, 2 / width], [width / height, 1, 2 / height]])
    grid = nn.functional.affine_grid(matrices * scale, list(images.shape), align_corners=False)
    return nn.functional.grid_sample(images, grid, mode=interpolation, padding_mode="zeros", align_corners=False)


def _matrix(xx: Tensor, xy: Tensor, yx: Tensor, yy: Tensor, *, right: Tensor | None = None, down: Tensor | None = None) -> Tensor:
    zero = torch.zeros_like(xx)
    entries = [xx, xy, zero if right is None else right, yx, yy, zero if down is None else down]
    return torch.stack(entries, 1).view(-1, 2, 3)
