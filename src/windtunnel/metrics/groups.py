"""Worst group: the smallest accuracy of the groups that samples fall into."""

from __future__ import annotations

import numpy as np

from windtunnel.core.estimate import Estimate
from windtunnel.metrics import student
from windtunnel.metrics.intervals import Values, pooled, seed_prior


def worst_group(correct: Values, groups: Values, seeds: tuple[int, ...] = ()) -> Estimate:
    """The smallest accuracy over groups, with a 95 % interval for the smallest of their true accuracies.

    The group that looks worst is in part only unlucky, so that its own interval would lie too low. Here the intervals of all groups hold at
    once with 95 % (Bonferroni), and then the smallest lower and the smallest upper end enclose the smallest accuracy. Small groups make it
    wide.

    Args:
        correct: yes/no outcomes.
        groups: of each sample.
        seeds: the training seeds of the rows, for the record.
    Shapes:
        correct (seed, sample); groups (sample,).
    Returns:
        Its n is that of the group that looks worst.
    Raises:
        ValueError: no samples at all.
    Source:
        Sagawa et al. 2020, arXiv 1911.08731, section 2, for the measure. Deviation: they show no interval, and seeds are averaged within
        groups here before the worst is taken.
    """
    present = np.unique(groups)
    if not len(present):
        raise ValueError("a worst group needs at least one sample")
    tables = [correct[:, groups == group] for group in present]
    prior, tail = seed_prior(tables), student.TAIL / len(present)
    found = [pooled(table, seeds=seeds, prior=prior, tail=tail) for table in tables]
    worst = min(found, key=lambda estimate: estimate.value)
    return Estimate(worst.value, min(each.low for each in found), min(each.high for each in found), worst.n, seeds)
