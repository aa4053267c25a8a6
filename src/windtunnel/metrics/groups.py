"""Worst group: the smallest accuracy of the groups that samples fall into."""

from __future__ import annotations

import numpy as np

from windtunnel.core.estimate import Estimate
from windtunnel.metrics import student
from windtunnel.metrics.intervals import SeedPrior, Values, pooled, seed_prior

Tables = list[Values]
"""Outcomes of each group, (seed, sample)."""


def by_group(correct: Values, groups: Values) -> Tables:
    """Outcomes cut into groups, in the order of their numbers.

    Shapes:
        correct (seed, sample); groups (sample,).
    """
    return [correct[:, groups == group] for group in np.unique(groups)]


def worst_group(tables: Tables, seeds: tuple[int, ...] = (), prior: SeedPrior | None = None) -> Estimate:
    """The smallest accuracy over groups, with a 95 % interval for the smallest of their true accuracies.

    The group that looks worst is in part only unlucky, so that its own interval would lie too low. Here the intervals of all groups hold at
    once with 95 % (Bonferroni), and then the smallest lower and the smallest upper end enclose the smallest accuracy. Small groups make it
    wide.

    Args:
        tables: yes/no outcomes of each group.
        seeds: the training seeds of the rows, for the record.
        prior: what the groups of other entries tell about the spread between seeds, for where these show too little of it themselves.
    Returns:
        Its n is that of the group that looks worst.
    Raises:
        ValueError: no groups at all.
    Source:
        Sagawa et al. 2020, arXiv 1911.08731, section 2, for the measure. Deviation: they show no interval, and seeds are averaged within
        groups here before the worst is taken.
    """
    if not tables:
        raise ValueError("a worst group needs at least one sample")
    known = seed_prior(tables) or prior
    found = [pooled(table, seeds=seeds, prior=known, tail=student.TAIL / len(tables)) for table in tables]
    worst = min(found, key=lambda estimate: estimate.value)
    return Estimate(worst.value, min(each.low for each in found), min(each.high for each in found), worst.n, seeds)
