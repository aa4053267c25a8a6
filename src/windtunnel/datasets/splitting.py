"""Stratified splits and subsets, drawn per sample: the order of the rows never matters.

Every sample gets a place in its class by a digest of (seed, purpose, id), so that adding or removing one sample
leaves the order of all others alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator

from windtunnel import seeding
from windtunnel.core.dataset import SPLITS, Indices
from windtunnel.errors import DataError

VERSION = 1
"""Raised whenever a change here moves a sample into another split or subset."""

Labels = npt.NDArray[np.int64]


def check_fractions(fractions: tuple[float, float, float]) -> tuple[float, float, float]:
    """Refuse fractions that are no partition of the whole.

    Raises:
        ValueError: a fraction outside [0, 1], or a sum other than 1.
    """
    if min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-6:  # room for decimals such as 0.333333
        raise ValueError(f"the fractions of train, val and test are {list(fractions)}; they must be at least 0 and sum to 1")
    return fractions


Fractions = Annotated[tuple[float, float, float], AfterValidator(check_fractions)]
"""Shares of train, val and test; a share of 0 leaves that split out."""

DEFAULT_FRACTIONS = (0.6, 0.15, 0.25)
"""Ours: a test split large enough for intervals of a few points on data of a few thousand samples."""


def shares(fractions: tuple[float, float, float], splits: Sequence[str] = SPLITS) -> dict[str, Fraction]:
    """Exact shares of those of `splits` that get any, summing to 1; empty if none does."""
    # Through text, for 0.15 is meant and not the binary number nearest to it.
    wanted = {split: Fraction(str(share)) for split, share in zip(SPLITS, fractions, strict=True) if split in splits and share > 0}
    total = sum(wanted.values())
    return {split: share / total for split, share in wanted.items()}


def stratified_split(labels: Labels, ids: Sequence[str], shares: Mapping[str, Fraction], seed: int) -> dict[str, Indices]:
    """Cut samples into disjoint splits that hold each class in proportion, to within one sample.

    Args:
        labels: class index of each sample.
        ids: stable name of each sample; the draw is keyed by it.
        shares: split -> share of the whole, summing to 1.
        seed: another seed is another split.
    Returns:
        Split -> row numbers, ascending; together they are all rows.
    """
    groups = _shuffled_classes(labels, ids, "split", seed)
    counts = _apportion([len(group) for group in groups], list(shares.values()))
    chosen: dict[str, list[int]] = {split: [] for split in shares}
    for group, sizes in zip(groups, counts, strict=True):
        ends = np.cumsum(sizes).tolist()
        for split, start, stop in zip(shares, [0, *ends], ends, strict=False):
            chosen[split].extend(group[start:stop])
    return {split: np.array(sorted(rows), dtype=np.int64) for split, rows in chosen.items()}


def stratified_subset(labels: Labels, ids: Sequence[str], samples: int, seed: int) -> Indices:
    """Choose `samples` samples with the classes in proportion (largest remainder), keyed by each sample's id.

    Args:
        labels: class index of each sample.
        ids: stable name of each sample.
        samples: how many; at least 1.
        seed: another seed is another subset.
    Returns:
        Row numbers, ascending. Rows in another order give the same samples.
    Raises:
        DataError: more samples are asked for than there are, or none.
    """
    if not 1 <= samples <= len(labels):
        remedy = f"Ask for 1 to {len(labels)}, or leave `samples` out for all."
        raise DataError(f"A subset of {samples} samples was asked for, and there are {len(labels)}. {remedy}")
    groups = _shuffled_classes(labels, ids, "subset", seed)
    counts = largest_remainder(samples, [len(group) for group in groups])
    rows = [row for group, count in zip(groups, counts, strict=True) for row in group[:count]]
    return np.array(sorted(rows), dtype=np.int64)


def largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """Share out `total` units in proportion to `weights`, exactly; of equal remainders the earlier one is served first."""
    whole = sum(weights)
    counts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: (-(total * weights[place] % whole), place))
    for place in by_remainder[: total - sum(counts)]:
        counts[place] += 1
    return counts


def _shuffled_classes(labels: Labels, ids: Sequence[str], purpose: str, seed: int) -> list[list[int]]:
    """Rows of each class in ascending class order, shuffled by the digest of each sample's id."""
    keys = [seeding.digest(seed, purpose, name) for name in ids]
    groups: dict[int, list[int]] = {label: [] for label in np.unique(labels).tolist()}
    for row in sorted(range(len(ids)), key=keys.__getitem__):
        groups[int(labels[row])].append(row)
    return list(groups.values())


def _apportion(sizes: Sequence[int], shares: Sequence[Fraction]) -> list[list[int]]:
    """Counts per class and split: each the exact share rounded down or up, and the totals of the splits kept in proportion too.

    What rounding took from a split in one class is owed to it in the next, else many small classes would all round the same way.
    """
    owed = [Fraction(0)] * len(shares)
    table = []
    for size in sizes:
        exact = [size * share for share in shares]
        counts = [int(part) for part in exact]
        owed = [debt + part - count for debt, part, count in zip(owed, exact, counts, strict=True)]
        for _ in range(size - sum(counts)):
            fractional = [place for place, part in enumerate(exact) if counts[place] < part]
            place = max(fractional, key=owed.__getitem__)
            counts[place] += 1
            owed[place] -= 1
        table.append(counts)
    return table
