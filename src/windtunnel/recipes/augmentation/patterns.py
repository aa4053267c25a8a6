"""Patterns: fractals of random iterated function systems, made from a seed, to be mixed into images.

Source:
    The idea of fractals as a mixing set: Hendrycks et al. 2022, arXiv 2112.05135, section 3. How they are drawn here is ours: a chaos game
    over two to five random contractions, as in Barnsley 1988, "Fractals Everywhere".
"""

from __future__ import annotations

import numpy as np

from windtunnel.seeding import generator

WALKERS = 256
"""Points that play the chaos game side by side."""

STEPS = 60
"""Of each, the first SETTLE not drawn; so some 14,000 points a fractal, which is what images of a few hundred pixels a side show."""

SETTLE = 10

SPREAD = (0.4, 0.85)
"""Factors by which a contraction shrinks the plane along its two axes, drawn evenly; ours."""


def fractals(seed: int, count: int, height: int, width: int, channels: int) -> np.ndarray:
    """Coloured fractals on coloured grounds, float32 in [0, 1], (count, channels, height, width)."""
    return np.stack([_fractal(generator(seed, "fractal", number), height, width, channels) for number in range(count)])


def _fractal(random: np.random.Generator, height: int, width: int, channels: int) -> np.ndarray:
    points, maps = _chaos_game(random)
    low, high = points.min(0), points.max(0)
    spots = ((points - low) / np.maximum(high - low, 1e-9) * (height - 1e-3, width - 1e-3)).astype(int)  # stays below the last row and column
    place = spots[:, 0] * width + spots[:, 1]
    hits = np.bincount(place, minlength=height * width)
    palette = random.random((maps.max() + 1, channels))
    ground = random.random(channels)
    colours = np.stack([np.bincount(place, palette[maps, channel], height * width) for channel in range(channels)]) / np.maximum(hits, 1)
    # Density by its logarithm, as is usual for fractal flames, or bright places would outshine all others.
    density = np.log1p(hits) / np.log1p(hits.max())
    image = density * colours + (1 - density) * ground[:, None]
    found: np.ndarray = image.reshape(channels, height, width).astype(np.float32)
    return found


def _chaos_game(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Points that random contractions lead to, and which contraction came last."""
    count = int(random.integers(2, 6))
    turn, back = (_rotations(random.uniform(0, 2 * np.pi, count)) for _ in range(2))
    linear = turn @ (random.uniform(*SPREAD, (count, 2))[:, :, None] * back)
    shift = random.uniform(-1, 1, (count, 2))
    points, found, last = random.uniform(-1, 1, (WALKERS, 2)), [], []
    for step in range(STEPS):
        chosen = random.integers(0, count, WALKERS)
        points = np.einsum("nij,nj->ni", linear[chosen], points) + shift[chosen]
        if step >= SETTLE:
            found.append(points)
            last.append(chosen)
    return np.concatenate(found), np.concatenate(last)


def _rotations(angles: np.ndarray) -> np.ndarray:
    return np.stack([np.stack([np.cos(angles), -np.sin(angles)], 1), np.stack([np.sin(angles), np.cos(angles)], 1)], 1)
