"""The search of Square: random squares, kept where they bring the victim nearer to a mistake. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from windtunnel.core.ball import column
from windtunnel.core.margin import margin
from windtunnel.threats.query.squares import Bumps, Proposal, Stripes
from windtunnel.threats.standing import Standing

BLOCK = 256
"""Queries whose draws are made at once."""

SCHEDULE = ((10, 1), (50, 2), (200, 4), (500, 8), (1000, 16), (2000, 32), (4000, 64), (6000, 128), (8000, 256))
"""Until which query of 10,000 the first share of the image is divided by what; by 512 afterwards (section 4)."""


def share(place: float, first: float) -> float:
    """Share of the image that the squares of a query cover.

    Args:
        place: of the query, among 10,000.
    Source:
        Andriushchenko et al. 2020, arXiv 1912.00049, section 4.
    """
    return first / next((parts for end, parts in SCHEDULE if place <= end), 512)


class Draws:
    """Uniform numbers in [0, 1) for each sample and query, in blocks, from each sample's own generator.

    Args:
        generators: one per sample.
        count: numbers of each sample in a query.
        like: whose type and place they take.
    """

    def __init__(self, generators: Sequence[np.random.Generator], count: int, like: Tensor) -> None:
        self.generators, self.count, self.like = list(generators), count, like
        self.block = torch.empty(len(self.generators), 0)
        self.used = BLOCK

    def next(self) -> Tensor:
        """The numbers of the next query, (standing, count)."""
        if self.used == BLOCK:
            self.block = torch.from_numpy(np.stack([draw.random((BLOCK, self.count), dtype=np.float32) for draw in self.generators])).to(self.like)
            self.used = 0
        self.used += 1
        return self.block[:, self.used - 1]

    def keep(self, rows: Tensor) -> None:
        """Only these samples are left."""
        self.generators = [self.generators[row] for row in rows.tolist()]
        self.block = self.block[rows]


def search(
    standing: Standing, draws: Sequence[np.random.Generator], starts: Sequence[np.random.Generator], queries: int, first: float, span: int
) -> Tensor:
    """Spend the queries; samples leave when they are broken. The best points of those that stand.

    Args:
        draws, starts: one generator per standing sample each, for the squares and for the first point.
        queries: a sample, the first point included.
        first: share of the image that the first squares cover.
        span: queries over which that share falls on its schedule.
    """
    inputs, eps = standing.inputs, standing.eps
    proposal: Proposal = Stripes(inputs, eps) if standing.norm == "Linf" else Bumps(standing.norm, inputs, eps)
    best = proposal.start(starts)
    value = torch.full((len(inputs),), -torch.inf, device=inputs.device, dtype=inputs.dtype)
    numbers = Draws(draws, proposal.count, inputs)
    points = best
    for query in range(queries):
        found = margin(standing.victim.logits(points), standing.labels)
        better = found > value
        best = torch.where(column(better, best), points, best)
        value = torch.where(better, found, value)
        kept = standing.fell(value > 0, best)
        if kept is not None:
            best, value = best[kept], value[kept]
            proposal.keep(kept)
            numbers.keep(kept)
            if not len(standing):
                break
        if query < queries - 1:
            points = proposal.next(best, numbers.next(), share(10000 * query / span, first))
    return best
