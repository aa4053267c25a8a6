"""Mixtures of augmentation chains. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from windtunnel.recipes.augmentation.tables import AUGMIX, applied
from windtunnel.seeding import Generators

if TYPE_CHECKING:
    from windtunnel.recipes.augmentation.augmix import AugMix


def mixed(images: Tensor, drawn: Sequence[Generators], settings: AugMix) -> list[Tensor]:
    """AugMix views of images, one for each set of generators.

    Shapes:
        images and each view (batch, channel, height, width), float in [0, 1].
    """
    each = [_draw(generators, settings) for generators in drawn]
    draws = _Draws(*(np.stack(column) for column in zip(*(vars(one).values() for one in each), strict=True)))
    # All chains of all views as one stack of (view, sample, chain): an operation runs once for all images that drew it.
    stacked = images[None, :, None].expand(len(drawn), -1, settings.width, -1, -1, -1)
    operation, level = (each.reshape(-1, settings.depth) for each in (draws.operation, draws.level * draws.sign))
    chains = chained(stacked.flatten(0, 2), draws.depth.reshape(-1), operation, level).view_as(stacked)
    weights, share = (torch.from_numpy(one).to(images)[..., None, None, None] for one in (draws.weights, draws.share))
    mixture = (weights * chains).sum(2)
    return list(((1 - share) * images + share * mixture).clamp(0, 1))


@dataclass(frozen=True)
class _Draws:
    """Everything random about views of a batch.

    Shapes, after any number of leading view dimensions:
        weights (batch, width); share (batch,); depth (batch, width); operation, level, sign (batch, width, depth).
    """

    weights: np.ndarray
    share: np.ndarray
    depth: np.ndarray
    operation: np.ndarray
    level: np.ndarray
    sign: np.ndarray


def _draw(generators: Generators, settings: AugMix) -> _Draws:
    rows, shape = [], (settings.width, settings.depth)
    for random in generators:
        rows.append(
            (
                random.dirichlet([settings.alpha] * settings.width),
                random.beta(settings.alpha, settings.alpha),
                random.integers(1, settings.depth + 1, settings.width),
                random.integers(0, len(AUGMIX), shape),
                random.uniform(0.1, settings.severity, shape),
                random.integers(0, 2, shape) * 2 - 1,
            )
        )
    return _Draws(*(np.array(column) for column in zip(*rows, strict=True)))


def chained(images: Tensor, depth: np.ndarray, operation: np.ndarray, level: np.ndarray) -> Tensor:
    """Each image through the operations of its chain, of the nine of AugMix.

    Args:
        depth: how many of them.
        operation: their numbers.
        level: of 10, negative for the other direction.
    Shapes:
        images (batch, channel, height, width); depth (batch,); operation and level (batch, largest depth).
    """
    for step in range(operation.shape[1]):
        images = applied(images, AUGMIX, np.where(depth > step, operation[:, step], -1), level[:, step] / 10, "bilinear")
    return images
