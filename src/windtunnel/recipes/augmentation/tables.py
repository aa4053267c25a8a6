"""Tables of operations and of how strong each is at a level: those of AugMix, RandAugment and TrivialAugment. Imports torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from windtunnel.recipes.augmentation import geometry, operations
from windtunnel.recipes.augmentation.geometry import Interpolation, Movement
from windtunnel.recipes.augmentation.operations import Operation

Levels = np.ndarray
Strength = Callable[[Levels, int, int], Levels]
"""Levels in [-1, 1], height and width, to amounts."""


def _same(levels: Levels, height: int, width: int) -> Levels:
    return levels


@dataclass(frozen=True)
class Entry:
    """One operation of a table.

    Args:
        change: of the values.
        move: of the pixels; one of the two.
        strength: the amount at a level; a negative level is the other direction where there is one.
    """

    change: Operation | None = None
    move: Movement | None = None
    strength: Strength = _same


Table = Sequence[Entry]


def applied(images: Tensor, table: Table, chosen: np.ndarray, levels: Levels, interpolation: Interpolation) -> Tensor:
    """Each image after one operation of a table; all those that move pixels in one go.

    Args:
        chosen: number of the operation, or -1 for none.
        levels: in [-1, 1].
    Shapes:
        images (batch, channel, height, width), float in [0, 1]; chosen and levels (batch,).
    """
    height, width = images.shape[2:]
    changed, places, matrices = images.clone(), [], []
    for number, entry in enumerate(table):
        rows = np.flatnonzero(chosen == number)
        if not len(rows):
            continue
        amount = torch.from_numpy(np.asarray(entry.strength(levels[rows], height, width), dtype=np.float32)).to(images.device)
        if entry.move is not None:
            places.append(rows)
            matrices.append(entry.move(amount, height, width))
        elif entry.change is not None and entry.change is not operations.identity:
            place = torch.from_numpy(rows).to(images.device)
            changed[place] = entry.change(images[place], amount)
    if places:
        place = torch.from_numpy(np.concatenate(places)).to(images.device)
        changed[place] = geometry.moved(images[place], torch.cat(matrices), interpolation)
    return changed


def scaled(most: float) -> Strength:
    """The level times a largest amount."""
    return lambda levels, height, width: levels * most


def factor(most: float) -> Strength:
    """One, more or less by the level times a largest amount."""
    return lambda levels, height, width: 1 + levels * most


def bits(lost: int) -> Strength:
    """Of eight, fewer by up to `lost`."""
    return lambda levels, height, width: 8 - np.round(np.abs(levels) * lost)


def threshold(levels: Levels, height: int, width: int) -> Levels:
    """From 1 downwards to 0."""
    found: Levels = 1 - np.abs(levels)
    return found


def _published(shear: float, shift_x: Strength, shift_y: Strength, degrees: float, most: float, lost: int) -> Table:
    blend = factor(most)
    return (
        Entry(operations.identity),
        Entry(move=geometry.shear_x, strength=scaled(shear)),
        Entry(move=geometry.shear_y, strength=scaled(shear)),
        Entry(move=geometry.translation_x, strength=shift_x),
        Entry(move=geometry.translation_y, strength=shift_y),
        Entry(move=geometry.rotation, strength=scaled(degrees)),
        Entry(operations.brightness, strength=blend),
        Entry(operations.colour, strength=blend),
        Entry(operations.contrast, strength=blend),
        Entry(operations.sharpness, strength=blend),
        Entry(operations.posterize, strength=bits(lost)),
        Entry(operations.solarize, strength=threshold),
        Entry(operations.autocontrast),
        Entry(operations.equalize),
    )


RANDAUGMENT: Table = _published(
    0.3, lambda levels, h, w: -np.trunc(levels * (w * 150 / 331)), lambda levels, h, w: -np.trunc(levels * (h * 150 / 331)), 30, 0.9, 4
)
"""The 14 operations, at the ranges of AutoAugment, Cubuk et al. 2019, arXiv 1805.09501, table 6: 150 pixels are those of its 331."""


def wide(pixels: float) -> Table:
    """TrivialAugment's wide ranges, Müller and Hutter 2021, arXiv 2103.10158.

    Args:
        pixels: largest translation.
    """

    def shift(levels: Levels, height: int, width: int) -> Levels:
        return -np.trunc(levels * pixels)

    return _published(0.99, shift, shift, 135, 0.99, 6)


def _floored(most: float) -> Strength:
    return lambda levels, height, width: np.sign(levels) * np.floor(np.abs(levels) * most)


AUGMIX: Table = (
    Entry(operations.autocontrast),
    Entry(operations.equalize),
    Entry(operations.posterize, strength=lambda levels, h, w: 4 - np.floor(np.abs(levels) * 4)),
    Entry(move=geometry.rotation, strength=_floored(30)),
    Entry(operations.solarize, strength=lambda levels, h, w: (256 - np.floor(np.abs(levels) * 256)) / 255),
    Entry(move=geometry.shear_x, strength=scaled(0.3)),
    Entry(move=geometry.shear_y, strength=scaled(0.3)),
    Entry(move=geometry.translation_x, strength=lambda levels, h, w: np.sign(levels) * np.floor(np.abs(levels) * w / 3)),
    Entry(move=geometry.translation_y, strength=lambda levels, h, w: np.sign(levels) * np.floor(np.abs(levels) * h / 3)),
)
"""The nine operations of AugMix, Hendrycks et al. 2020, arXiv 1912.02781, which do not overlap with the ImageNet-C corruptions; level 1 is the
10 of its reference implementation."""
