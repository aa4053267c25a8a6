"""What Square proposes: where its squares lie and what they hold. Imports torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from windtunnel.core.ball import TINY, column, lengths, project_l1_in_box


class Proposal(Protocol):
    """Points to try, for the samples that stand."""

    count: int
    """Uniform numbers that each sample uses up in a query."""

    def start(self, draws: Sequence[np.random.Generator]) -> Tensor:
        """First points, within the ball."""
        ...

    def next(self, best: Tensor, numbers: Tensor, part: float) -> Tensor:
        """Points that differ from the best ones in a square.

        Args:
            best: (standing, channel, height, width).
            numbers: uniform in [0, 1), (standing, count).
            part: share of the image that a square covers.
        """
        ...

    def keep(self, rows: Tensor) -> None:
        """Only these samples are left."""
        ...


class Stripes:
    """Linf: vertical stripes first, then squares of one colour, each at a corner of the cube.

    Args:
        inputs: unperturbed samples.
        eps: radius.
    Source:
        Andriushchenko et al. 2020, arXiv 1912.00049, algorithm 2.
    """

    def __init__(self, inputs: Tensor, eps: float) -> None:
        self.inputs, self.eps = inputs, eps
        self.channels, self.height, self.width = inputs.shape[1:]
        self.count = 2 + self.channels
        self.low, self.high = (inputs - eps).clamp_min(0), (inputs + eps).clamp_max(1)
        self.down, self.across = (torch.arange(side, device=inputs.device, dtype=inputs.dtype) for side in (self.height, self.width))

    def start(self, draws: Sequence[np.random.Generator]) -> Tensor:
        """Each column of each channel goes up or down as a whole."""
        drawn = np.stack([draw.random((self.channels, 1, self.width), dtype=np.float32) for draw in draws])
        change = torch.where(torch.from_numpy(drawn).to(self.inputs) < 0.5, -self.eps, self.eps)
        return torch.minimum(torch.maximum(self.inputs + change, self.low), self.high)

    def next(self, best: Tensor, numbers: Tensor, part: float) -> Tensor:
        """One square goes up or down in each channel, by the width of the cube."""
        side = min(max(round(math.sqrt(part * self.height * self.width)), 1), self.height, self.width)
        top = (numbers[:, :1] * max(self.height - side, 1)).floor()
        left = (numbers[:, 1:2] * max(self.width - side, 1)).floor()
        rows = (self.down >= top) & (self.down < top + side)
        columns = (self.across >= left) & (self.across < left + side)
        colour = torch.where(numbers[:, 2:] < 0.5, -2 * self.eps, 2 * self.eps)
        change = colour[:, :, None, None] * (rows[:, None, :, None] & columns[:, None, None, :])
        return torch.minimum(torch.maximum(best + change, self.low), self.high)

    def keep(self, rows: Tensor) -> None:
        """Only these samples are left."""
        self.inputs, self.low, self.high = self.inputs[rows], self.low[rows], self.high[rows]


class Bumps:
    """L2 and L1: bumps on tiles first, then the mass of one window is moved into a bump in another.

    Mass is the sum of squares in L2, of absolute values in L1. In L2 the change is scaled to the radius and cut at the box. In L1 it is
    projected onto what ball and box share, and with several channels a bump gets as many times the mass, so that there is something to cut.

    Args:
        norm: "L2" or "L1".
        inputs: unperturbed samples.
        eps: radius.
    Source:
        L2: Andriushchenko et al. 2020, arXiv 1912.00049, algorithm 3 and section 3.4. L1: Croce and Hein 2021, arXiv 2103.01208, whose
        code (fra31/auto-attack, square.py) has the details.
    Deviation:
        Tiles are squares of a fifth of the shorter side, and windows are cut to the image, so that any size will do. The published L1
        code keeps a millionth of the radius in reserve.
    """

    def __init__(self, norm: str, inputs: Tensor, eps: float) -> None:
        self.norm, self.inputs, self.eps = norm, inputs, eps
        self.channels, self.height, self.width = inputs.shape[1:]
        self.count = 5 + self.channels
        self.power = {"L2": 2, "L1": 1}[norm]
        self.surplus = self.channels if norm == "L1" else 1

    def start(self, draws: Sequence[np.random.Generator]) -> Tensor:
        """A bump of random sign on every tile."""
        side = max(min(self.height, self.width) // 5, 1)
        down, across = self.height // side, self.width // side
        top, left = (self.height - down * side) // 2, (self.width - across * side) // 2
        drawn = np.stack([draw.random((self.channels + 1, down, across), dtype=np.float32) for draw in draws])
        numbers = torch.from_numpy(drawn).to(self.inputs)
        signs = torch.where(numbers[:, :-1] < 0.5, -1.0, 1.0)[..., None, None]
        tiles = (signs * _turned(bump(side, self.norm).to(self.inputs), numbers[:, -1:])).permute(0, 1, 2, 4, 3, 5)
        change = torch.zeros_like(self.inputs)
        change[:, :, top : top + down * side, left : left + across * side] = tiles.reshape(len(drawn), self.channels, down * side, across * side)
        return self._placed(change)

    def next(self, best: Tensor, numbers: Tensor, part: float) -> Tensor:
        """What two windows hold goes into a new bump in the first; the second is emptied."""
        side = max(round(math.sqrt(part * self.height * self.width)), 3)
        side = min(side + (side % 2 == 0), self.height, self.width)
        change = best - self.inputs
        spent = self._mass(change, (1, 2, 3))
        one, two = self._window(numbers[:, 0:2], side), self._window(numbers[:, 2:4], side)
        held = change[one]
        own = self._mass(held)
        change[one] = 0
        mass = own + self._mass(change[two])
        change[two] = 0
        signs = torch.where(numbers[:, 5:] < 0.5, -1.0, 1.0)[:, None, None, :]
        fresh = signs * _turned(bump(side, self.norm).to(best), numbers[:, 4])[..., None] + held / (TINY + self._length(own))
        spare = (self.eps**self.power - spent).clamp_min(0) / self.channels
        change[one] = fresh / (TINY + self._length(self._mass(fresh))) * self._length((spare + mass) * self.surplus)
        return self._placed(change)

    def _mass(self, change: Tensor, over: tuple[int, ...] = (1, 2)) -> Tensor:
        """Of each channel of a window unless told otherwise."""
        return change.abs().pow(self.power).sum(over, keepdim=True)

    def _length(self, mass: Tensor) -> Tensor:
        return mass.pow(1 / self.power)

    def _window(self, numbers: Tensor, side: int) -> tuple[Tensor, slice, Tensor, Tensor]:
        """An index of each sample's own square; indexing puts channels last."""
        reach = torch.arange(side, device=numbers.device)
        top = (numbers[:, :1] * max(self.height - side, 1)).long() + reach
        left = (numbers[:, 1:] * max(self.width - side, 1)).long() + reach
        return torch.arange(len(numbers), device=numbers.device)[:, None, None], slice(None), top[:, :, None], left[:, None, :]

    def _placed(self, change: Tensor) -> Tensor:
        if self.norm == "L1":
            change = project_l1_in_box(self.inputs, change, self.eps)
        else:
            change = change * column(self.eps / lengths("L2", change).clamp_min(TINY), change)
        return (self.inputs + change).clamp(0, 1)

    def keep(self, rows: Tensor) -> None:
        """Only these samples are left."""
        self.inputs = self.inputs[rows]


def bump(side: int, norm: str) -> Tensor:
    """Two opposite pyramids beside one another, of norm 1, (side, side).

    Args:
        norm: "L2" or "L1"; in L1 pyramids are steeper.
    Source:
        Andriushchenko et al. 2020, arXiv 1912.00049, section 3.4: rings around a centre weigh 1 / (ring)^2, summed. L1: 1 / (ring)^4, as in
        the code of Croce and Hein 2021, arXiv 2103.01208.
    """
    if side == 1:
        return torch.ones(1, 1)
    upper = side // 2
    return _unit(torch.cat([_pyramid(upper, side, norm), -_pyramid(side - upper, side, norm)]), norm)


def _pyramid(height: int, width: int, norm: str) -> Tensor:
    """Nested rectangles around the middle, each adding the inverse power of its number; of norm 1."""
    row, across = height // 2, width // 2
    found = torch.zeros(height, width)
    decay = {"L2": 2, "L1": 4}[norm]
    for ring in range(max(row, across) + 1):
        top, left, size = row - ring, across - ring, 2 * ring + 1
        found[max(top, 0) : max(top + size, 0), max(left, 0) : max(left + size, 0)] += 1 / (ring + 1) ** decay
    return _unit(found, norm)


def _unit(pattern: Tensor, norm: str) -> Tensor:
    return pattern / lengths(norm, pattern[None])


def _turned(pattern: Tensor, numbers: Tensor) -> Tensor:
    """The pattern, or its transpose where the number is one half or more, (*numbers.shape, side, side)."""
    return torch.where(numbers[..., None, None] < 0.5, pattern, pattern.T)
