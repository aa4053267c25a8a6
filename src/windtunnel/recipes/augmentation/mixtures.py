"""Mixtures of augmentation chains. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.special import betaincinv, gammaincinv
from torch import Tensor

from windtunnel.recipes.augmentation.tables import AUGMIX, applied

if TYPE_CHECKING:
    from windtunnel.recipes.augmentation.augmix import AugMix


def numbers(settings: AugMix) -> int:
    """How many uniform numbers a view of one image takes."""
    return 2 * settings.width + 1 + 3 * settings.width * settings.depth


def mixed(images: Tensor, drawn: Sequence[np.ndarray], settings: AugMix) -> list[Tensor]:
    """AugMix views of images.

    Args:
        drawn: for each view uniform numbers in [0, 1), (batch, numbers(settings)).
    Shapes:
        images and each view (batch, channel, height, width), float in [0, 1].
    """
    found = draws(np.stack(drawn), settings)
    # All chains of all views as one stack of (view, sample, chain): an operation runs once for all images that drew it.
    stacked = images[None, :, None].expand(len(drawn), -1, settings.width, -1, -1, -1)
    depth, operation, level = (each.reshape(-1, *each.shape[3:]) for each in (found.depth, found.operation, found.level))
    chains = chained(stacked.flatten(0, 2), depth, operation, level).view_as(stacked)
    weights, share = (torch.from_numpy(one).to(images)[..., None, None, None] for one in (found.weights, found.share))
    mixture = (weights * chains).sum(2)
    return list(torch.lerp(images, mixture, share).clamp(0, 1))


@dataclass(frozen=True)
class Draws:
    """Everything random about views of a batch.

    Shapes:
        weights (view, batch, width); share (view, batch); depth (view, batch, width); operation and level (view, batch, width, depth).
    """

    weights: np.ndarray
    share: np.ndarray
    depth: np.ndarray
    operation: np.ndarray
    level: np.ndarray


def draws(drawn: np.ndarray, settings: AugMix) -> Draws:
    """Uniform numbers, (view, batch, numbers(settings)), as what they stand for."""
    width, depth, alpha = settings.width, settings.depth, settings.alpha
    for_weights, for_share, for_depth, rest = np.split(drawn, np.cumsum([width, 1, width]), axis=-1)
    operation, level, sign = rest.reshape(*rest.shape[:-1], 3, width, depth).swapaxes(0, 2).swapaxes(1, 2)
    # Gamma numbers over their sum are a Dirichlet draw; held above zero, where they would underflow for a tiny alpha.
    weights = np.maximum(gammaincinv(alpha, for_weights), np.finfo(float).tiny)
    return Draws(
        weights / weights.sum(-1, keepdims=True),
        betaincinv(alpha, alpha, for_share[..., 0]),
        1 + (for_depth * depth).astype(int),
        (operation * len(AUGMIX)).astype(int),
        (0.1 + level * (settings.severity - 0.1)) * np.where(sign < 0.5, -1, 1),
    )


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
