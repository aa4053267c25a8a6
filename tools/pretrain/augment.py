"""Random renderings of garments and glyphs; every draw comes from the generator handed in."""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

SIZE = 32  # side of the images the networks see


def uniform(count: int, low: float, high: float, generator: Generator) -> Tensor:
    """Draw `count` numbers between two bounds."""
    return torch.rand(count, generator=generator) * (high - low) + low


def affine_grid(count: int, strength: float, zoom: tuple[float, float], generator: Generator) -> Tensor:
    """Draw sampling grids (count, SIZE, SIZE, 2) of random affine maps.

    Args:
        count: how many.
        strength: 1 turns by up to 20 degrees, shears by up to 0.25 and shifts by up to a tenth of the image.
        zoom: bounds of the magnification, drawn log-uniformly, separately by up to 20 % for the two axes.
    """
    angle = uniform(count, -1, 1, generator) * strength * math.radians(20)
    shear = uniform(count, -1, 1, generator) * strength * 0.25
    size = uniform(count, math.log(zoom[0]), math.log(zoom[1]), generator).exp()
    aspect = (uniform(count, -1, 1, generator) * strength * 0.2).exp()
    cos, sin = angle.cos(), angle.sin()
    turn = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    skew = torch.eye(2).repeat(count, 1, 1)
    skew[:, 0, 1] = shear
    scale = torch.diag_embed(torch.stack([1 / (size * aspect), aspect / size], 1))
    shift = (torch.rand(count, 2, 1, generator=generator) * 2 - 1) * 0.2 * strength
    theta = torch.cat([scale @ skew @ turn, shift], 2)
    return F.affine_grid(theta, [count, 1, SIZE, SIZE], align_corners=False)


def elastic_flow(count: int, strength: float, generator: Generator) -> Tensor:
    """Draw smooth displacements (count, SIZE, SIZE, 2) from a coarse 5x5 field, in units of half the image."""
    coarse = torch.randn(count, 2, 5, 5, generator=generator) * strength
    return F.interpolate(coarse, size=(SIZE, SIZE), mode="bicubic", align_corners=True).permute(0, 2, 3, 1)


def draw_glyphs(maps: Tensor, generator: Generator) -> Tensor:
    """Draw glyphs from their distance maps with random shape, stroke width and softness.

    Shapes:
        maps (n, 1, height, width), distances in pixels of the map; returns (n, 1, SIZE, SIZE) in [0, 1].
    """
    count = len(maps)
    grid = affine_grid(count, 1.0, (0.75, 1.4), generator) + elastic_flow(count, 0.07, generator)
    distance = F.grid_sample(maps, grid, padding_mode="border", align_corners=False)
    half_width = uniform(count, 0.8, 4.0, generator).view(-1, 1, 1, 1)
    softness = uniform(count, 0.3, 1.0, generator).view(-1, 1, 1, 1)
    ink = torch.sigmoid((half_width - distance) / softness)
    return degrade(ink, generator)


def vary_garments(images: Tensor, generator: Generator) -> Tensor:
    """Turn, zoom, mirror and degrade garments.

    Shapes:
        images (n, 1, SIZE, SIZE) in [0, 1]; returns the same.
    """
    count = len(images)
    grid = affine_grid(count, 0.35, (0.85, 1.15), generator)
    mirror = torch.rand(count, generator=generator) < 0.5
    grid[mirror] = grid[mirror] * torch.tensor([-1.0, 1.0])
    return degrade(F.grid_sample(images, grid, align_corners=False), generator, coarsest=16, erase=0.25)


def degrade(images: Tensor, generator: Generator, coarsest: int = 8, erase: float = 0.15) -> Tensor:
    """Lower the resolution of half of the images, erase boxes, change contrast, add noise, invert one in twenty."""
    images = coarsen(images, coarsest, generator)
    images = erase_boxes(images, erase, generator)
    count = len(images)
    contrast = uniform(count, 0.6, 1.0, generator).view(-1, 1, 1, 1)
    noise = uniform(count, 0.0, 0.08, generator).view(-1, 1, 1, 1)
    images = images * contrast + noise * torch.randn(images.shape, generator=generator)
    inverted = (torch.rand(count, 1, 1, 1, generator=generator) < 0.05).float()
    return (inverted + (1 - 2 * inverted) * images).clamp(0, 1)


def coarsen(images: Tensor, coarsest: int, generator: Generator) -> Tensor:
    """Average each second image over a coarser raster and interpolate it back; the raster is drawn per call."""
    side = int(torch.randint(coarsest, 20, (), generator=generator))
    low = F.adaptive_avg_pool2d(images[::2], side)
    images = images.clone()
    images[::2] = F.interpolate(low, size=(SIZE, SIZE), mode="bilinear", align_corners=False)
    return images


def erase_boxes(images: Tensor, share: float, generator: Generator) -> Tensor:
    """Black out one random box of 4 to 12 pixels a side in a share of the images."""
    count = len(images)
    axis = torch.arange(SIZE)
    sides = torch.randint(4, 13, (2, count, 1), generator=generator)
    starts = torch.randint(0, SIZE - 4, (2, count, 1), generator=generator)
    inside = (axis >= starts) & (axis < starts + sides)
    box = inside[0][:, :, None] & inside[1][:, None, :]
    chosen = torch.rand(count, 1, 1, generator=generator) < share
    return images.masked_fill((box & chosen)[:, None], 0.0)
