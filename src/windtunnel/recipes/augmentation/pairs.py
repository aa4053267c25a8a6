"""Pairs: with whom each sample of a minibatch is mixed, and how much of it is its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass as configured

from windtunnel.core.configured import STRICT
from windtunnel.core.part import Augmentation, Fitting
from windtunnel.recipes.arguments import Chance

Alpha = Annotated[float, Field(gt=0)]


@configured(frozen=True, kw_only=True, config=STRICT)
class Mixture(Augmentation):
    """Base of the augmentations that mix each sample with another one of its minibatch, and the loss alike.

    Args:
        alpha: of Beta(alpha, alpha), which each sample's own share is drawn from; the smaller, the nearer to 0 or 1.
        p: chance that a sample is mixed at all.
    """

    mixes: ClassVar[bool] = True

    alpha: Alpha = 1.0
    p: Chance = 1.0

    def pairs(self, fitting: Fitting, ids: Sequence[str]) -> Pairs:
        """Who is mixed with whom: shares keyed by each sample, partners by a permutation that the first sample keys."""
        from scipy.special import betaincinv

        drawn = fitting.uniforms(f"{self.use}-share", ids, 2)
        share = np.where(drawn[:, 1] < self.p, betaincinv(self.alpha, self.alpha, drawn[:, 0]), 1.0)
        return Pairs(fitting.draws(f"{self.use}-partner", ids[:1])[0].permutation(len(ids)), share)


@dataclass(frozen=True)
class Pairs:
    """Partners and shares.

    Args:
        partner: row of the other sample, (batch,).
        share: of the sample itself, in [0, 1]; 1 where it is not mixed, (batch,).
    """

    partner: np.ndarray
    share: np.ndarray
