"""Norm balls around inputs: projection, directions and random points, sample by sample. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

TINY = 1e-12
"""Keeps the length of a zero change from dividing by zero."""


def column(values: Tensor, like: Tensor) -> Tensor:
    """One value per sample, shaped to broadcast over `like`.

    Shapes:
        values (batch,); like (batch, ...); returns (batch, 1, ...).
    """
    return values.view(-1, *[1] * (like.ndim - 1))


def lengths(norm: str, change: Tensor) -> Tensor:
    """The norm of each sample's change, in its own precision, (batch,).

    For verdicts see `core.budget.distances`, which computes in float64.
    """
    flat = change.flatten(1)
    if norm == "Linf":
        return flat.abs().amax(1)
    if norm == "L2":
        length: Tensor = flat.norm(dim=1)
        return length
    if norm == "L1":
        return flat.abs().sum(1)
    return (flat != 0).sum(1).to(flat.dtype)


def project(norm: str, change: Tensor, eps: float | Tensor) -> Tensor:
    """The nearest change (in L2) whose norm is at most `eps`; what is inside stays as it is.

    Every value only shrinks towards 0, so that inputs plus change stay in [0, 1] if they were.

    Args:
        eps: one radius, or one per sample (batch,).
    Source:
        L1: Duchi et al. 2008, ICML, section 4 (soft thresholding at a level found by sorting).
    """
    radius = torch.as_tensor(eps, dtype=change.dtype, device=change.device).expand(len(change))
    if norm == "Linf":
        bound = column(radius, change)
        return torch.minimum(torch.maximum(change, -bound), bound)
    if norm == "L2":
        return change * column((radius / lengths("L2", change).clamp_min(TINY)).clamp_max(1), change)
    if norm == "L1":
        return _project_l1(change, radius)
    return _project_l0(change, radius)


def _project_l1(change: Tensor, radius: Tensor) -> Tensor:
    flat = change.flatten(1)
    size = flat.abs()
    ordered = size.sort(dim=1, descending=True).values
    excess = ordered.cumsum(1) - radius[:, None]
    count = torch.arange(1, flat.shape[1] + 1, device=flat.device, dtype=flat.dtype)
    used = (ordered * count > excess).sum(1, keepdim=True).clamp_min(1)
    threshold = (excess.gather(1, used - 1) / used).clamp_min(0)
    inside = size.sum(1, keepdim=True) <= radius[:, None]
    shrunk = flat.sign() * (size - threshold).clamp_min(0)
    return torch.where(inside, flat, shrunk).view_as(change)


def _project_l0(change: Tensor, radius: Tensor) -> Tensor:
    flat = change.flatten(1)
    rank = flat.abs().argsort(dim=1, descending=True, stable=True).argsort(dim=1)
    return torch.where(rank < radius[:, None], flat, torch.zeros_like(flat)).view_as(change)


def steepest(norm: str, gradient: Tensor) -> Tensor:
    """The change of norm 1 along which a linear function with this gradient grows fastest; 0 where the gradient is.

    In L1 that is a single value, the one of largest slope.
    """
    if norm == "Linf":
        return gradient.sign()
    if norm == "L2":
        return gradient / column(lengths("L2", gradient).clamp_min(TINY), gradient)
    flat = gradient.flatten(1)
    place = flat.abs().argmax(1, keepdim=True)
    return torch.zeros_like(flat).scatter_(1, place, flat.gather(1, place).sign()).view_as(gradient)


def normal_draws(draws: Sequence[np.random.Generator], shape: Sequence[int], like: Tensor) -> Tensor:
    """Standard normal values, a row from each sample's own generator, as `like` in type and place; (batch, *shape)."""
    return torch.from_numpy(np.stack([draw.standard_normal(tuple(shape)) for draw in draws])).to(like)


def uniform_draws(draws: Sequence[np.random.Generator], shape: Sequence[int], like: Tensor, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Uniform values, a row from each sample's own generator, as `like` in type and place; (batch, *shape)."""
    return torch.from_numpy(np.stack([draw.uniform(low, high, tuple(shape)) for draw in draws])).to(like)


def random_change(norm: str, inputs: Tensor, eps: float, draws: Sequence[np.random.Generator]) -> Tensor:
    """A random point of the ball for each sample, not yet clipped to [0, 1].

    Linf: uniform in the cube. L2: a uniform direction, and a length uniform in [0, eps], as torchattacks' PGDL2 starts. L1: Laplace
    directions scaled likewise.
    """
    shape = inputs.shape[1:]
    if norm == "Linf":
        return uniform_draws(draws, shape, inputs, -eps, eps)
    if norm == "L2":
        direction = normal_draws(draws, shape, inputs)
    else:
        direction = torch.from_numpy(np.stack([draw.laplace(size=tuple(shape)) for draw in draws])).to(inputs)
    length = uniform_draws(draws, (), inputs) * eps
    return direction * column(length / lengths(norm, direction).clamp_min(TINY), inputs)


def project_l1_in_box(inputs: Tensor, change: Tensor, eps: float) -> Tensor:
    """The nearest change (in L2) of L1 norm at most `eps` that also keeps inputs plus change in [0, 1].

    Every value is shortened by one threshold a sample, then cut at the box: d = sign(c) clip(|c| - t, 0, room). The threshold is
    bracketed by halving and closed exactly on the values between the cuts.

    Source:
        Croce and Hein 2021, arXiv 2103.01208, proposition 2.1.
    """
    flat, at = change.flatten(1), inputs.flatten(1)
    size = flat.abs()
    room = torch.minimum(torch.where(flat > 0, 1 - at, at).clamp_min(0), size)
    low, high = torch.zeros_like(size[:, :1]), size.amax(1, keepdim=True)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        long = torch.minimum((size - middle).clamp_min(0), room).sum(1, keepdim=True) > eps
        low, high = torch.where(long, middle, low), torch.where(long, high, middle)
    between = (size > high) & (size - high < room)
    capped = torch.where(size - high >= room, room, torch.zeros_like(room)).sum(1, keepdim=True)
    threshold = ((size * between).sum(1, keepdim=True) + capped - eps) / between.sum(1, keepdim=True).clamp_min(1)
    threshold = torch.minimum(torch.maximum(threshold, low), high)
    fits = room.sum(1, keepdim=True) <= eps
    shortened = torch.minimum((size - torch.where(fits, torch.zeros_like(threshold), threshold)).clamp_min(0), room)
    return (flat.sign() * shortened).view_as(change)


_HALVINGS = 24  # float32 has 24 bits
