"""The nearest point on a hyperplane that is still an image. Imports torch."""

from __future__ import annotations

import torch
from torch import Tensor

from windtunnel.core.ball import TINY

NEWTON = 24
"""Newton steps at most; the equation is piecewise linear and concave, so that a few end it."""


def towards_hyperplane(norm: str, points: Tensor, normal: Tensor, offset: Tensor) -> Tensor:
    """The shortest change that carries each point in [0, 1] onto its hyperplane <normal, x> = offset without leaving [0, 1].

    Where the box does not meet the hyperplane, the change to its nearest corner.

    Args:
        norm: "Linf", "L2" or "L1", in which the change is short.
    Shapes:
        points, normal (batch, values); offset (batch,); returns (batch, values).
    Source:
        Croce and Hein 2020, arXiv 1907.02044, section 3.1. Deviation: in Linf and L2 the one unknown, how far the values move before
        the box stops them, is found by Newton steps from below, which rise to the exact root, instead of by sorting.
    """
    short = (normal * points).sum(1) - offset
    slope = normal.abs()
    rising = (normal > 0) != (short > 0)[:, None]
    room = torch.where(rising, 1 - points, points).clamp_min(0) * (slope > 0)
    lengths = (
        _l1(slope, room, short.abs()) if norm == "L1" else _newton(torch.ones_like(slope) if norm == "Linf" else slope, slope, room, short.abs())
    )
    return torch.where(rising, lengths, -lengths)


def _newton(speed: Tensor, slope: Tensor, room: Tensor, target: Tensor) -> Tensor:
    """Lengths min(t * speed, room) with <slope, lengths> = target."""
    time = torch.zeros_like(target)
    gain = slope * speed
    lengths = torch.zeros_like(room)
    for _ in range(NEWTON):
        free = lengths < room
        rate = (gain * free).sum(1)
        missing = target - (slope * lengths).sum(1)
        step = torch.where(rate > TINY, missing / rate.clamp_min(TINY), torch.zeros_like(missing))
        if not bool((step > 1e-7 * time).any()):
            break
        time = time + step.clamp_min(0)
        lengths = torch.minimum(time[:, None] * speed, room)
    return lengths


def _l1(slope: Tensor, room: Tensor, target: Tensor) -> Tensor:
    """Whole rooms in the order of falling slope, the last one in part."""
    order = slope.argsort(dim=1, descending=True, stable=True)
    steep, width = slope.gather(1, order), room.gather(1, order)
    gained = steep * width
    before = gained.cumsum(1) - gained
    part = ((target[:, None] - before) / steep.clamp_min(TINY)).clamp_min(0)
    return torch.zeros_like(room).scatter(1, order, torch.minimum(part, width))
