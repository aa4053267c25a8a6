"""The walk of HopSkipJump: decisions in, boundary points out. Imports torch."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from windtunnel.core.ball import TINY, column, lengths, normal_draws, uniform_draws
from windtunnel.core.batch import Batch
from windtunnel.core.victim import Victim
from windtunnel.threats.minimum.nearest import Nearest

ASKED = 512
"""Points in one forward pass at most."""


class Walk:
    """Samples of a batch on their way along the boundary, each with a budget of decisions.

    Args:
        victim: asked for its predicted class only.
        batch: rightly classified samples.
        norm: "L2" or "Linf", in which the way is short.
        queries: decisions a sample.
        draws: one generator a sample.
    """

    def __init__(self, victim: Victim, batch: Batch, norm: str, queries: int, draws: Sequence[np.random.Generator]) -> None:
        self.victim, self.batch, self.norm, self.draws = victim, batch, norm, draws
        self.inputs, self.labels = batch.inputs, batch.labels
        self.left = torch.full((len(batch),), queries, device=batch.inputs.device)
        self.nearest = Nearest(batch.inputs, norm)
        self.points = batch.inputs.clone()
        self.rows = torch.arange(len(batch), device=batch.inputs.device)
        size = batch.inputs[0].numel()
        self.fine = size**-1.5 if norm == "L2" else size**-2.0  # section 4.3: how near to the boundary a point must lie
        self.halvings = min(math.ceil(-math.log2(self.fine)), 24)

    def begin(self, starts: int) -> None:
        """Find a misclassified random image for each sample, then the boundary between the two; samples without one are given up."""
        found = torch.zeros_like(self.labels, dtype=torch.bool)
        for _ in range(starts):
            rows = (~found & (self.left > 0)).nonzero().flatten()
            if not len(rows):
                break
            tried = uniform_draws([self.draws[row] for row in rows.tolist()], self.inputs.shape[1:], self.inputs)
            broken = self._decide(rows, tried)
            self.points[rows[broken]] = tried[broken]
            found[rows[broken]] = True
        self.rows = found.nonzero().flatten()

    def approach(self, evaluations: int, largest: int) -> None:
        """Estimate, jump, and search back, until the queries are spent."""
        self._narrow()
        number = 0
        while True:
            number += 1
            count = min(int(evaluations * math.sqrt(number)), largest)
            self.rows = self.rows[self.left[self.rows] >= count + 1]
            if not len(self.rows):
                return
            away = lengths(self.norm, self.points[self.rows] - self.inputs[self.rows])
            direction = self._direction(count, torch.full_like(away, 0.1) if number == 1 else self._probe_length(away))
            self._jump(direction, away / math.sqrt(number))
            self._narrow()

    def _probe_length(self, away: Tensor) -> Tensor:
        """How far random decisions lie from the boundary, section 4.3: sqrt(d) * theta * distance in L2, d * theta * distance in Linf."""
        size = self.inputs[0].numel()
        share: float = self.fine * (math.sqrt(size) if self.norm == "L2" else size)
        return away * share

    def _direction(self, count: int, radius: Tensor) -> Tensor:
        """The mean of random directions, each with the sign of its decision and the mean decision taken off (equation 16)."""
        shape, total, signs = self.inputs.shape[1:], torch.zeros_like(self.inputs[self.rows]), []
        draws = [self.draws[row] for row in self.rows.tolist()]
        plain = torch.zeros_like(total)
        block = max(1, ASKED // len(self.rows))
        for start in range(0, count, block):
            size = min(block, count - start)
            noise = normal_draws(draws, (size, *shape), self.inputs)
            noise = noise / noise.flatten(2).norm(dim=2).clamp_min(TINY)[(...,) + (None,) * len(shape)]
            tried = (self.points[self.rows][:, None] + column(radius, noise) * noise).clamp(0, 1)
            noise = (tried - self.points[self.rows][:, None]) / column(radius.clamp_min(TINY), noise)
            sign = self._decide(self.rows.repeat_interleave(size), tried.flatten(0, 1)).view(-1, size).to(noise.dtype) * 2 - 1
            total += (sign[(...,) + (None,) * len(shape)] * noise).sum(1)
            plain += noise.sum(1)
            signs.append(sign)
        mean = torch.cat(signs, 1).mean(1)
        # With all decisions alike there is nothing to take off.
        centred = torch.where(column(mean.abs() < 1, total), total - column(mean, total) * plain, total)
        return centred.sign() if self.norm == "Linf" else centred / column(centred.flatten(1).norm(dim=1).clamp_min(TINY), centred)

    def _jump(self, direction: Tensor, step: Tensor) -> None:
        """Along the estimate, by a step halved until the point is misclassified; samples whose queries end stay where they are."""
        waiting = torch.arange(len(self.rows), device=self.rows.device)
        for _ in range(24):
            waiting = waiting[self.left[self.rows[waiting]] > 0]
            if not len(waiting):
                return
            rows = self.rows[waiting]
            tried = (self.points[rows] + column(step[waiting], direction[waiting]) * direction[waiting]).clamp(0, 1)
            broken = self._decide(rows, tried)
            self.points[rows[broken]] = tried[broken]
            step = step / 2
            waiting = waiting[~broken]

    def _narrow(self) -> None:
        """Halve the way between input and misclassified point, until the point is as near to the boundary as wanted."""
        rows = self.rows
        ends = self.points[rows]
        away = (ends - self.inputs[rows]).flatten(1).abs().amax(1)
        low, high = torch.zeros_like(away), torch.ones_like(away)
        for _ in range(self.halvings):
            able = self.left[rows] > 0
            if not bool(able.any()):
                break
            middle = (low + high) / 2
            tried = self._between(rows, ends, away, middle)
            broken = torch.zeros_like(able)
            broken[able] = self._decide(rows[able], tried[able])
            high, low = torch.where(able & broken, middle, high), torch.where(able & ~broken, middle, low)
        self.points[rows] = self._between(rows, ends, away, high)

    def _between(self, rows: Tensor, ends: Tensor, away: Tensor, share: Tensor) -> Tensor:
        """In L2 on the line from input to end, in Linf the end cut to a smaller cube."""
        inputs = self.inputs[rows]
        if self.norm == "L2":
            return inputs + column(share, ends) * (ends - inputs)
        bound = column(share * away, ends)
        return inputs + torch.minimum(torch.maximum(ends - inputs, -bound), bound)

    def _decide(self, rows: Tensor, points: Tensor) -> Tensor:
        """Whether each point is misclassified; counted, and the nearest kept."""
        answers = [self.victim.logits(part).argmax(1) for part in torch.split(points, ASKED)]
        broken = torch.cat(answers) != self.labels[rows]
        self.left.index_add_(0, rows, torch.full_like(rows, -1))
        self._offer(rows, points, broken)
        return broken

    def _offer(self, rows: Tensor, points: Tensor, broken: Tensor) -> None:
        """One row may come several times; the nearest of its points is offered."""
        hit = broken.nonzero().flatten()
        if len(hit):
            far = lengths(self.norm, points[hit] - self.inputs[rows[hit]])
            order = hit[far.argsort(descending=True, stable=True)]
            last = {int(row): place for place, row in zip(order.tolist(), rows[order].tolist(), strict=True)}
            places = torch.tensor(list(last.values()), device=rows.device)
            self.nearest.offer(rows[places], points[places], torch.ones_like(places, dtype=torch.bool))
