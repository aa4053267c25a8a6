"""Splits that hold whole groups, with the classes in proportion."""

from fractions import Fraction

import numpy as np
import pytest

from windtunnel.datasets.grouping import grouped_split

SHARES = {"train": Fraction(3, 5), "val": Fraction(3, 20), "test": Fraction(1, 4)}


def documents(count, seed=0):
    """Labels of three classes and the documents they belong to, each of 1 to 12 rows and with a leaning of its own."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 13, count)
    labels = np.concatenate([rng.choice(3, size, p=rng.dirichlet((1, 1, 1))) for size in sizes])
    return labels.astype(np.int64), np.repeat([f"document {number}" for number in range(count)], sizes).tolist()


def test_every_row_is_in_one_split_and_no_group_in_two():
    labels, groups = documents(200)
    found = grouped_split(labels, groups, SHARES, seed=0)
    assert sorted(np.concatenate(list(found.values())).tolist()) == list(range(len(labels)))
    held = [{groups[row] for row in rows} for rows in found.values()]
    assert sum(map(len, held)) == len(set(groups)) == 200


def test_classes_are_in_proportion_to_within_a_document():
    labels, groups = documents(200)
    found = grouped_split(labels, groups, SHARES, seed=0)
    for split, share in SHARES.items():
        wanted = np.bincount(labels) * float(share)
        assert np.abs(np.bincount(labels[found[split]]) - wanted).max() <= 12


@pytest.mark.parametrize("seed", range(5))
def test_groups_of_one_row_are_cut_to_within_one_sample_a_class(seed):
    labels = np.random.default_rng(seed).integers(0, 4, 333)
    found = grouped_split(labels, [str(row) for row in range(333)], SHARES, seed)
    for split, share in SHARES.items():
        wanted = np.bincount(labels) * float(share)
        assert np.abs(np.bincount(labels[found[split]]) - wanted).max() <= 1


def test_the_order_of_the_rows_does_not_matter_and_the_seed_does():
    labels, groups = documents(100)
    turned = np.random.default_rng(1).permutation(len(labels))
    straight = grouped_split(labels, groups, SHARES, seed=3)
    shuffled = grouped_split(labels[turned], [groups[row] for row in turned], SHARES, seed=3)
    assert {split: sorted(turned[rows].tolist()) for split, rows in shuffled.items()} == {split: rows.tolist() for split, rows in straight.items()}
    assert grouped_split(labels, groups, SHARES, seed=4)["test"].tolist() != straight["test"].tolist()


def test_nothing_is_cut_into_nothing():
    found = grouped_split(np.zeros(0, dtype=np.int64), [], SHARES, seed=0)
    assert {split: rows.tolist() for split, rows in found.items()} == {"train": [], "val": [], "test": []}
