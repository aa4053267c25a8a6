"""Imbalance: the published counts, and what uneven data allows."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from windtunnel.conditions.imbalance import Imbalance
from windtunnel.errors import DataError

LONG_TAILED = (5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50)
"""CIFAR-10-LT at ratio 100: int(5000 * 0.01 ** (i / 9)) for i in range(10), the counts of Cao et al. 2019."""


def test_the_exponential_profile_gives_the_published_counts() -> None:
    assert Imbalance(ratio=100).counts((5000,) * 10) == LONG_TAILED


def test_the_step_profile_gives_the_second_half_of_the_classes_a_share_of_the_first() -> None:
    assert Imbalance(ratio=10, profile="step").counts((5000,) * 10) == (5000,) * 5 + (500,) * 5
    assert Imbalance(ratio=10, profile="step").counts((5000,) * 3) == (5000, 5000, 500)


def test_uneven_data_keeps_the_ratio_and_as_much_as_it_can() -> None:
    assert Imbalance(ratio=4).counts((100, 100, 10)) == (40, 20, 10)
    assert Imbalance(ratio=1).counts((7, 9, 8)) == (7, 7, 7)


def test_the_samples_that_stay_are_as_they_were_and_in_their_order(images) -> None:
    found = Imbalance(ratio=10).apply(images, "train", 0)
    assert np.bincount(found.labels).tolist() == list(Imbalance(ratio=10).counts((50,) * 10))
    rows = [images.ids.index(name) for name in found.ids]
    assert rows == sorted(rows)
    np.testing.assert_array_equal(found.pixels(), images.pixels(rows))
    np.testing.assert_array_equal(found.labels, images.labels[rows])


def test_a_class_without_a_sample_is_refused_in_training_and_allowed_in_validation(images) -> None:
    with pytest.raises(DataError, match="imbalance 200 leaves no sample of the class 'h', which has 50"):
        Imbalance(ratio=200).apply(images, "train", 0)
    assert np.bincount(Imbalance(ratio=200).apply(images, "val", 0).labels, minlength=10)[-1] == 0


def test_a_ratio_below_1_is_refused() -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        Imbalance(ratio=0.5)
