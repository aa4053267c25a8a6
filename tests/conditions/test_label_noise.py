"""Label noise: exact shares, wrong labels only, and the published transitions."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from windtunnel.conditions.label_noise import LabelNoise
from windtunnel.errors import DataError


@pytest.mark.parametrize(("rate", "wrong"), [(0.2, 10), (0.45, 22), (0.99, 50), (0.001, 0)])
def test_the_exact_share_of_each_class_is_wrong(images, rate, wrong) -> None:
    found = LabelNoise(rate=rate).apply(images, "train", 0)
    flipped = found.labels != images.labels
    assert np.bincount(images.labels[flipped], minlength=10).tolist() == [wrong] * 10
    assert found.ids == images.ids
    np.testing.assert_array_equal(found.pixels(), images.pixels())


def test_symmetric_noise_goes_to_every_other_class_alike(images) -> None:
    counts = np.zeros((10, 10))
    for seed in range(40):
        found = LabelNoise(rate=0.9).apply(images, "train", seed)
        np.add.at(counts, (images.labels, found.labels), 1)
    wrong = counts[~np.eye(10, dtype=bool)]
    assert np.diag(counts).tolist() == [40 * 5] * 10
    # 200 wrong labels are expected in each of 90 cells, with a deviation of about 13.
    assert abs(wrong - 200).max() < 5 * 13.4


def test_pair_flips_lead_to_the_next_class_as_published(images) -> None:
    found = LabelNoise(rate=0.45, kind="class-dependent").apply(images, "train", 0)
    transition = np.zeros((10, 10))
    np.add.at(transition, (images.labels, found.labels), 1)
    # Han et al. 2018: 1 - rate on the diagonal of the transition matrix and rate beside it, here 28 and 22 of 50.
    assert (transition == 28 * np.eye(10) + 22 * np.eye(10)[:, [9, *range(9)]]).all()


def test_a_mapping_says_who_is_mistaken_for_whom(images) -> None:
    found = LabelNoise(rate=0.5, kind="class-dependent", mapping={"a": "c", "j": "b"}).apply(images, "train", 0)
    changed = found.labels != images.labels
    assert sorted(set(zip(images.labels[changed].tolist(), found.labels[changed].tolist(), strict=True))) == [(0, 2), (9, 1)]
    assert changed.sum() == 50


def test_a_larger_rate_flips_the_same_labels_and_more(images) -> None:
    few, many = (LabelNoise(rate=rate).apply(images, "train", 0).labels != images.labels for rate in (0.2, 0.6))
    assert (many | ~few).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rate": 0}, "greater than 0"),
        ({"rate": 1}, "less than 1"),
        ({"mapping": {"a": "b"}}, "needs the kind class-dependent"),
        ({"kind": "class-dependent", "mapping": {"a": "a"}}, "from 'a' to itself"),
        ({"kind": "pair"}, "'symmetric' or 'class-dependent'"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message) -> None:
    with pytest.raises(ValidationError, match=message):
        LabelNoise(**arguments)


def test_a_mapping_of_classes_that_are_not_there_is_refused_before_training(images) -> None:
    noise = LabelNoise(kind="class-dependent", mapping={"a": "zebra"})
    with pytest.raises(DataError, match="names the class 'zebra', which the data lacks"):
        noise.apply(images, "train", 0)
