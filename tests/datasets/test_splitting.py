"""Splits and subsets: disjoint, stratified, seeded, blind to the order of rows."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.datasets.digits import Digits
from windtunnel.datasets.splitting import (
    DEFAULT_FRACTIONS,
    largest_remainder,
    shares,
    stratified_split,
    stratified_subset,
)
from windtunnel.errors import DataError

COUNTS = st.lists(st.integers(0, 40), min_size=1, max_size=6).filter(lambda counts: sum(counts) > 0)


def samples(counts):
    labels = np.repeat(np.arange(len(counts)), counts)
    return labels, [f"sample/{row}" for row in range(len(labels))]


@given(counts=COUNTS, seed=st.integers(0, 5))
def test_splits_are_a_partition_with_each_class_within_one_sample_of_its_share(counts, seed):
    labels, ids = samples(counts)
    wanted = shares(DEFAULT_FRACTIONS)
    splits = stratified_split(labels, ids, wanted, seed)
    assert sorted(row for rows in splits.values() for row in rows.tolist()) == list(range(len(labels)))
    for split, rows in splits.items():
        assert rows.tolist() == sorted(rows.tolist())
        for label, count in enumerate(counts):
            assert abs((labels[rows] == label).sum() - count * wanted[split]) < 1


def test_many_small_classes_still_give_splits_of_the_asked_size():
    labels, ids = samples([10] * 100)  # a share of 1.5 and 2.5 samples each, which would all round the same way
    splits = stratified_split(labels, ids, shares(DEFAULT_FRACTIONS), 0)
    assert {split: len(rows) for split, rows in splits.items()} == {"train": 600, "val": 150, "test": 250}


def test_a_split_depends_on_seed_and_ids_and_not_on_the_order_of_rows():
    labels, ids = samples([30, 20, 50])
    order = np.random.default_rng(0).permutation(100)
    first = stratified_split(labels, ids, shares(DEFAULT_FRACTIONS), 0)
    again = stratified_split(labels[order], [ids[row] for row in order], shares(DEFAULT_FRACTIONS), 0)
    other = stratified_split(labels, ids, shares(DEFAULT_FRACTIONS), 1)
    for split in first:
        assert {ids[row] for row in first[split]} == {ids[order[row]] for row in again[split]}
        assert first[split].tolist() != other[split].tolist()


def test_shares_that_are_left_out_are_given_to_the_others_in_proportion():
    assert shares((0.6, 0.15, 0.25), ("train", "val")) == pytest.approx({"train": 0.8, "val": 0.2})
    assert list(shares((0.0, 0.0, 1.0))) == ["test"]


@given(counts=COUNTS, seed=st.integers(0, 5), data=st.data())
def test_a_subset_is_proportional_ascending_and_blind_to_the_order_of_rows(counts, seed, data):
    labels, ids = samples(counts)
    size = data.draw(st.integers(1, len(labels)))
    rows = stratified_subset(labels, ids, size, seed)
    assert len(rows) == size == len(set(rows.tolist()))
    assert rows.tolist() == sorted(rows.tolist())
    taken = Counter(labels[rows].tolist())
    for label, count in enumerate(counts):
        assert abs(taken[label] - size * count / len(labels)) < 1
    turned = stratified_subset(labels[::-1], ids[::-1], size, seed)
    assert {ids[row] for row in rows} == {ids[::-1][row] for row in turned}


def test_a_subset_of_class_ordered_data_is_never_its_first_rows():
    labels, ids = samples([100] * 10)
    assert Counter(labels[stratified_subset(labels, ids, 50, 0)].tolist()) == dict.fromkeys(range(10), 5)
    assert stratified_subset(labels, ids, 50, 0).tolist() != stratified_subset(labels, ids, 50, 1).tolist()


@pytest.mark.parametrize("size", [0, 11])
def test_a_subset_of_none_or_of_more_than_there_are_is_refused(size):
    labels, ids = samples([6, 4])
    with pytest.raises(DataError, match=rf"subset of {size} samples .* there are 10. Ask for 1 to 10"):
        stratified_subset(labels, ids, size, 0)


def test_largest_remainder_shares_out_exactly():
    assert largest_remainder(10, [6, 3, 1]) == [6, 3, 1]
    assert largest_remainder(5, [6, 3, 1]) == [3, 2, 0]  # exact shares 3, 1.5, 0.5: of equal remainders the first
    assert largest_remainder(2, [1, 1, 1]) == [1, 1, 0]


@pytest.mark.parametrize("fractions", [(0.6, 0.3, 0.3), (1.2, -0.1, -0.1)])
def test_fractions_that_are_no_partition_are_refused(fractions):
    with pytest.raises(ValueError, match="at least 0 and sum to 1"):
        Digits(fractions=fractions)
