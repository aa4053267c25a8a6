"""AugMix: mixtures of augmentation chains, and the consistency loss that goes with them. Imports torch.

Source:
    Hendrycks et al. 2020, arXiv 1912.02781, algorithm 1 and section 3, with the published defaults: width 3, depth 1 to 3 at
    random, alpha 1, severity 3, nine operations that do not overlap with the ImageNet-C corruptions, weight 12 of the
    Jensen-Shannon term.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from windtunnel.core.batch import Batch
from windtunnel.seeding import generators

WIDTH = 3
DEPTH = 3
SEVERITY = 3.0
CONSISTENCY = 12.0


def views(batch: Batch, seed: int, epoch: int) -> tuple[Tensor, Tensor]:
    """Two independent AugMix views of a batch of inputs in [0, 1], keyed by (seed, epoch, sample id).

    Shapes:
        both (batch, channel, height, width), float in [0, 1].
    """
    both = [_draw(batch, seed, f"augmix-{epoch}-{view}") for view in ("first", "second")]
    draws = _Draws(*(np.stack(column) for column in zip(*(vars(each).values() for each in both), strict=True)))
    # All chains of both views as one stack of (view, sample, chain): an operation runs once for all images that drew it.
    stacked = batch.inputs[None, :, None].expand(2, -1, WIDTH, -1, -1, -1)
    chains = _augment(stacked.flatten(0, 2), draws).view_as(stacked)
    weights, share = (torch.from_numpy(each).to(batch.inputs)[..., None, None, None] for each in (draws.weights, draws.share))
    mixture = (weights * chains).sum(2)
    first, second = ((1 - share) * batch.inputs + share * mixture).clamp(0, 1)
    return first, second


def consistency_loss(network: nn.Module, batch: Batch, first: Tensor, second: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
    """Cross-entropy on the clean inputs plus 12 times the Jensen-Shannon divergence of the three predictions.

    Source:
        arXiv 1912.02781, section 3, equation 2.
    """
    logits = network(torch.cat([batch.inputs, first, second])).chunk(3)
    loss = nn.functional.cross_entropy(logits[0], batch.labels, label_smoothing=label_smoothing)
    logs = [each.log_softmax(1) for each in logits]
    middle = (sum(each.exp() for each in logs) / 3).clamp(1e-7, 1).log()  # the clamp as in the authors' implementation
    divergence = sum(nn.functional.kl_div(middle, each, reduction="batchmean", log_target=True) for each in logs) / 3
    return loss + CONSISTENCY * divergence


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


def _draw(batch: Batch, seed: int, purpose: str) -> _Draws:
    rows = []
    for random in generators(seed, purpose, batch.ids):
        gamma = random.standard_exponential(WIDTH)  # normalised: Dirichlet(1, 1, 1)
        rows.append(
            (
                gamma / gamma.sum(),
                random.random(),  # Beta(1, 1)
                random.integers(1, DEPTH + 1, WIDTH),
                random.integers(0, len(OPERATIONS), (WIDTH, DEPTH)),
                random.uniform(0.1, SEVERITY, (WIDTH, DEPTH)),
                random.integers(0, 2, (WIDTH, DEPTH)) * 2 - 1,
            )
        )
    return _Draws(*(np.array(column) for column in zip(*rows, strict=True)))


def _augment(images: Tensor, draws: _Draws) -> Tensor:
    """Each image through the operations of its chain."""
    changed = images.clone()
    depth, operations, levels = draws.depth.reshape(-1), draws.operation.reshape(-1, DEPTH), (draws.level * draws.sign).reshape(-1, DEPTH)
    for step in range(DEPTH):
        for number, operation in enumerate(OPERATIONS):
            rows = np.flatnonzero((depth > step) & (operations[:, step] == number))
            if len(rows):
                place = torch.from_numpy(rows).to(changed.device)
                changed[place] = operation(changed[place], torch.from_numpy(levels[rows, step]).to(changed))
    return changed


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
