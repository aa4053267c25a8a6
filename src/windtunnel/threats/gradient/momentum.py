"""Steps with momentum, and what transfer attacks do to inputs and gradients. Imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from windtunnel.core.ball import TINY, column, lengths, project
from windtunnel.core.batch import Batch
from windtunnel.core.victim import Victim
from windtunnel.seeding import generators
from windtunnel.threats.losses import cross_entropy

if TYPE_CHECKING:
    from windtunnel.threats.gradient.transfer import MIFGSM


def climb(victim: Victim, batch: Batch, attack: MIFGSM, *, eps: float, step: float, seed: int) -> Tensor:
    """All steps for all samples; nobody leaves early, since it is another victim that has to fall."""
    inputs, labels = batch.inputs, batch.labels
    points, gathered = inputs, torch.zeros_like(inputs)
    for number in range(attack.steps):
        ahead = points + step * attack.momentum * gathered if attack.nesterov else points
        slope = torch.zeros_like(inputs)
        with torch.enable_grad():
            at = ahead.detach().requires_grad_(True)
            views = attack.views(at, seed, number, batch.ids)
        for view in views:
            _, _, seen = victim.gradient(view.detach(), lambda logits: cross_entropy(logits, labels))
            slope += torch.autograd.grad(view, at, seen)[0] / len(views)
        slope = attack.smoothed(slope)
        # By the mean, as the authors' code does, where the paper writes the sum: the look ahead hangs on this size.
        gathered = attack.momentum * gathered + slope / column(lengths("L1", slope).clamp_min(TINY) / slope[0].numel(), slope)
        change = points + step * gathered.sign() - inputs
        points = (inputs + project("Linf", change, eps)).clamp(0, 1)
    return points


def diverse(points: Tensor, seed: int, purpose: str, ids: tuple[str, ...], probability: float, smallest: float) -> Tensor:
    """Views shrunk to a random share of the side at a random place, black around; left as they are with the rest of the probability."""
    drawn = np.stack([draw.random(4) for draw in generators(seed, purpose, ids)])
    numbers = torch.from_numpy(drawn).to(points)
    share = smallest + (1 - smallest) * numbers[:, 1]
    share = torch.where(numbers[:, 0] < probability, share, torch.ones_like(share))
    room = (1 - share)[:, None] * (2 * numbers[:, 2:] - 1)
    # From places in the view to places in the point, both from -1 to 1.
    linear = torch.diag_embed((1 / share)[:, None].expand(-1, 2))
    moves = torch.cat([linear, (-room / share[:, None])[..., None]], 2)
    grid = torch.nn.functional.affine_grid(moves, list(points.shape), align_corners=False)
    return torch.nn.functional.grid_sample(points, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def blurred(gradient: Tensor, side: int) -> Tensor:
    """Convolved, channel by channel, with a Gaussian that ends at three standard deviations."""
    place = torch.linspace(-3, 3, side, dtype=gradient.dtype, device=gradient.device) if side > 1 else torch.zeros(1).to(gradient)
    line = torch.exp(-(place**2) / 2)
    kernel = torch.outer(line, line)
    kernel = (kernel / kernel.sum()).expand(gradient.shape[1], 1, side, side)
    return torch.nn.functional.conv2d(gradient, kernel, padding=side // 2, groups=gradient.shape[1])
