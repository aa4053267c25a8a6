"""Groups of samples, and samples under other names."""

from __future__ import annotations

import numpy as np
import pytest
from support.small import Stripes

from windtunnel.core.dataset import Dataset
from windtunnel.errors import DataError


def grouped(groups) -> Dataset:
    return Dataset("made", ("a", "b"), ("x", "y", "z"), np.array([0, 1, 1]), np.zeros((3, 2, 2, 1), np.uint8), groups)


def test_groups_stay_with_their_samples() -> None:
    data = grouped(np.array([5, 6, 7]))
    assert data.take([2, 0]).groups.tolist() == [7, 5]
    assert data.take([2, 0]).take([1]).groups.tolist() == [5]
    assert grouped(None).take([0]).groups is None
    assert all(part.groups is None for part in Stripes().load().splits.values())


def test_every_sample_needs_a_group() -> None:
    with pytest.raises(DataError, match="made has 3 ids and 2 groups; they must be as many"):
        grouped(np.array([5, 6]))


def test_a_sample_may_be_taken_twice_under_two_names_only() -> None:
    data = grouped(None)
    assert data.take([1, 1], ("y", "w")).ids == ("y", "w")
    with pytest.raises(DataError, match="repeated sample ids"):
        data.take([1, 1])
