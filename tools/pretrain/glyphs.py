"""An alphabet of line drawings cut from the outlines of garments.

Photographs of garments teach a network silhouettes and textures, but nothing about strokes. So each
training image also serves as a quarry: a level set of the blurred image has an outline, a random window
of it is a drawing of one or several open or closed strokes, and that drawing is one *glyph*. Telling a
thousand of them apart under deformation is the second task of the pre-training.

A glyph is kept as the distance of each pixel to its nearest stroke, so that it can be warped smoothly
and drawn with any stroke width.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from torch import Tensor, from_numpy

SIZE = 48  # side of a glyph's distance map, in pixels
INK = (0.035, 0.13)  # accepted share of outline pixels: neither a stub nor a hatching; set by eye
FAR = 12.0  # distances are cut here: no stroke is drawn wider, and far pixels must not dominate when interpolated


def outline(image: np.ndarray, level: float) -> np.ndarray:
    """Return the outline of the region brighter than a level, four times enlarged, as a mask."""
    enlarged = ndimage.zoom(ndimage.gaussian_filter(image, 0.8), 4, order=1)
    region = enlarged > level
    return np.asarray(region & ~ndimage.binary_erosion(region))


def window(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Cut a random rectangle around a random outline pixel and resample it to `SIZE` with a margin."""
    height, width = rng.integers(28, 80, size=2)
    centre_y, centre_x = rng.permutation(np.argwhere(mask))[0]
    top, left = max(0, centre_y - height // 2), max(0, centre_x - width // 2)
    cut = mask[top : top + height, left : left + width]
    rows, columns = np.flatnonzero(cut.any(1)), np.flatnonzero(cut.any(0))
    cut = cut[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    inner = SIZE - 16  # leaves 8 pixels of margin on each side
    scale = inner / max(cut.shape)
    points = np.argwhere(cut) * scale
    points += (SIZE - np.array(cut.shape) * scale) / 2
    drawn = np.zeros((SIZE, SIZE), dtype=bool)
    drawn[tuple(points.astype(int).clip(0, SIZE - 1).T)] = True
    return np.asarray(ndimage.binary_closing(drawn))


def draw_glyph(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw one glyph from random images, trying until its amount of ink is acceptable."""
    while True:
        image = images[rng.integers(len(images))]
        mask = outline(image, float(rng.uniform(0.15, 0.7)) * float(image.max()))
        if not mask.any():
            continue
        glyph = window(mask, rng)
        if INK[0] < glyph.mean() < INK[1]:
            return glyph


def make_alphabet(images: Tensor, count: int, seed: int) -> Tensor:
    """Make an alphabet of glyphs.

    Args:
        images: garments to cut from, (n, 1, height, width) in [0, 1].
        count: number of glyphs.
        seed: of the choice of images, levels and windows.
    Returns:
        Distance maps (count, 1, SIZE, SIZE), in pixels of the map, at most `FAR`.
    """
    rng = np.random.default_rng(seed)
    source = images.squeeze(1).numpy()
    maps = [ndimage.distance_transform_edt(~draw_glyph(source, rng)) for _ in range(count)]
    return from_numpy(np.minimum(np.stack(maps), FAR).astype(np.float32))[:, None]
