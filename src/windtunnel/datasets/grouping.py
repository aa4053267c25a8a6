"""Splits that keep what belongs together: sentences of one document never fall into two splits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from windtunnel import seeding
from windtunnel.core.dataset import Indices

Counts = npt.NDArray[np.int64]


def grouped_split(labels: Indices, groups: Sequence[str], shares: Mapping[str, Fraction], seed: int) -> dict[str, Indices]:
    """Cut samples into disjoint splits that hold each class about in proportion, and no group in part.

    Groups come in the order of a digest of (seed, purpose, group), each to the split that lacks most of what it brings:
    the greedy step of least squares on the counts per split and class. Where every sample is a group of its own,
    the proportions are exact to within one sample.

    Args:
        labels: class index of each sample, at least 0.
        groups: name of what each sample belongs to; the draw is keyed by it.
        shares: split -> share of the whole, summing to 1.
        seed: another seed is another split.
    Returns:
        Split -> row numbers, ascending; together they are all rows.
    """
    members: dict[str, list[int]] = {}
    for row, group in enumerate(groups):
        members.setdefault(group, []).append(row)
    classes = int(labels.max(initial=0)) + 1
    scale = math.lcm(*(share.denominator for share in shares.values()))
    parts = np.array([int(share * scale) for share in shares.values()], dtype=np.int64)
    # What each split still lacks of each class, in units of 1/scale of a sample: exact in whole numbers.
    lacking: Counts = np.outer(parts, np.bincount(labels, minlength=classes))
    chosen: list[list[int]] = [[] for _ in shares]
    for group in sorted(members, key=lambda name: seeding.digest(seed, "split", name)):
        brought = np.bincount(labels[members[group]], minlength=classes)
        place = int(np.argmax(lacking @ brought))
        lacking[place] -= scale * brought
        chosen[place].extend(members[group])
    return {split: np.array(sorted(rows), dtype=np.int64) for split, rows in zip(shares, chosen, strict=True)}
