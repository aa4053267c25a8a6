"""Few shots: so many of each class, and no more to choose a checkpoint by."""

from __future__ import annotations

import numpy as np
import pytest

from windtunnel.conditions.few_shot import FewShot
from windtunnel.errors import DataError


def test_each_class_has_as_many_samples_as_asked_for(images) -> None:
    found = FewShot(per_class=5).apply(images, "train", 0)
    assert np.bincount(found.labels).tolist() == [5] * 10
    rows = [images.ids.index(name) for name in found.ids]
    np.testing.assert_array_equal(found.pixels(), images.pixels(rows))


def test_more_shots_are_the_fewer_ones_and_others(images) -> None:
    assert set(FewShot(per_class=3).apply(images, "train", 0).ids) < set(FewShot(per_class=9).apply(images, "train", 0).ids)


def test_too_many_are_refused_in_training_and_all_there_are_in_validation(images) -> None:
    few = images.take(range(35))
    with pytest.raises(DataError, match=r"asks for 4 samples of each class, and 'f' has 3 to train on\. Ask for at most 3"):
        FewShot(per_class=4).apply(few, "train", 0)
    assert np.bincount(FewShot(per_class=4).apply(few, "val", 0).labels).tolist() == [4] * 5 + [3] * 5
