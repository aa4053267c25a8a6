"""Standing: the samples of a batch that no attempt has broken yet, and what broke the others. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from windtunnel.core.ball import column
from windtunnel.core.batch import Batch
from windtunnel.core.budget import distances, tolerance
from windtunnel.core.victim import Victim
from windtunnel.seeding import generators


class Standing:
    """Samples leave as soon as a point within the budget breaks them, so that nothing more is spent on them.

    Args:
        victim: who is asked whether a point breaks a sample.
        batch: all samples, rightly classified.
        norm: in which changes are bounded.
        eps: the bound; a point beyond it breaks nothing.
    """

    def __init__(self, victim: Victim, batch: Batch, norm: str, eps: float) -> None:
        self.victim, self.norm, self.eps = victim, norm, eps
        self.inputs, self.labels = batch.inputs, batch.labels
        self.rows = torch.arange(len(batch), device=batch.inputs.device)
        self.perturbed = batch.inputs.clone()
        """A point for every sample of the batch: what broke it, what was left at last, or its input."""
        self._ids = batch.ids

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def ids(self) -> tuple[str, ...]:
        """Of the samples that stand, in the order of `inputs`."""
        return tuple(self._ids[row] for row in self.rows.tolist())

    def draws(self, seed: int, purpose: str) -> Sequence[np.random.Generator]:
        """One generator per sample that stands, keyed by (seed, purpose, sample id)."""
        return generators(seed, purpose, self.ids)

    def fell(self, broken: Tensor, points: Tensor) -> Tensor | None:
        """Let samples leave with the points that broke them; the rows of those that stay, or None if nobody left.

        Args:
            broken: (standing,) bool; the caller has seen the victim misclassify the points, within the budget.
            points: (standing, ...).
        Returns:
            Indices into what was standing before, with which the caller thins out what it keeps for each sample.
        """
        if not bool(broken.any()):
            return None
        self.perturbed[self.rows[broken]] = points[broken].detach()
        keep = (~broken).nonzero().flatten()
        self.inputs, self.labels, self.rows = self.inputs[keep], self.labels[keep], self.rows[keep]
        return keep

    def offer(self, points: Tensor) -> Tensor | None:
        """Ask the victim about one point per standing sample; those broken within the budget leave, as in `fell`.

        Points outside budget or box, or not finite, break nothing.
        """
        valid = self.valid(points)
        tried = torch.where(column(valid, points), points.detach(), self.inputs)
        return self.fell((self.victim.logits(tried).argmax(1) != self.labels) & valid, tried)

    def leave(self, points: Tensor) -> None:
        """Note the last point of each sample that still stands, unasked: the threat itself will judge it."""
        self.perturbed[self.rows] = points.detach()

    def valid(self, points: Tensor) -> Tensor:
        """Whether each point is an input within the budget, (standing,) bool."""
        inside = (torch.isfinite(points) & (points >= 0) & (points <= 1)).flatten(1).all(1)
        allowed = self.eps + tolerance(self.norm, self.eps, self.inputs[0].numel()) if len(self) else self.eps
        return inside & (distances(self.norm, self.inputs, points) <= allowed)
