"""The marks of classes: each its own, drawn for each sample alone."""

from __future__ import annotations

import numpy as np
import pytest

from windtunnel.core.shortcut import MOST, grey, marked_groups, place, shown_classes, word
from windtunnel.errors import DataError

IDS = tuple(map(str, range(20_000)))
LABELS = np.arange(20_000, dtype=np.int64) % 5


def test_every_class_has_a_patch_and_a_word_of_its_own_that_can_be_seen() -> None:
    patches = {(str(place(label, 9, 9, 2)), grey(label)) for label in range(MOST)}
    assert len(patches) == MOST
    assert min(grey(label) for label in range(MOST)) > 0
    assert len({word(label) for label in range(MOST)}) == MOST
    assert [word(label) for label in (0, 1, 25, 26, 27, 702)] == ["zxa", "zxb", "zxz", "zxaa", "zxab", "zxaaa"]


def test_greys_of_few_classes_are_far_apart() -> None:
    assert [grey(label) for label in range(0, 20, 4)] == [255, 127, 191, 63, 223]


@pytest.mark.parametrize("size", [1, 3, 50])
def test_patches_lie_in_the_four_corners_of_any_image(size) -> None:
    image = np.zeros((4, 6), dtype=int)
    for label in range(4):
        image[place(label, 4, 6, size)] += 1
    assert image[[0, 0, -1, -1], [0, -1, 0, -1]].min() >= 1
    assert image.sum() == 4 * min(size, 4) * min(size, 6)


def test_marks_agree_as_often_as_said_and_else_stand_for_every_other_class_alike() -> None:
    shown = shown_classes(LABELS, IDS, 5, 0.6, seed=1)
    counts = np.zeros((5, 5))
    np.add.at(counts, (LABELS, shown), 1)
    # 4000 samples of each class; five standard deviations of a count are 155 and 95.
    assert abs(np.diag(counts) - 2400).max() < 155
    assert abs(counts[~np.eye(5, dtype=bool)] - 400).max() < 95


def test_a_sample_has_the_same_mark_whoever_is_beside_it() -> None:
    whole = shown_classes(LABELS, IDS, 5, 0.6, seed=1)
    some = [7, 3, 900]
    np.testing.assert_array_equal(shown_classes(LABELS[some], tuple(IDS[row] for row in some), 5, 0.6, seed=1), whole[some])
    assert (shown_classes(LABELS, IDS, 5, 0.6, seed=2) != whole).any()


def test_groups_are_labels_with_agreeing_and_with_other_marks() -> None:
    assert marked_groups(np.array([0, 0, 2]), np.array([0, 1, 1])).tolist() == [1, 0, 4]


@pytest.mark.parametrize("classes", [1, MOST + 1])
def test_too_few_and_too_many_classes_are_refused(classes) -> None:
    with pytest.raises(DataError, match=f"needs 2 to {MOST} classes; there are {classes}"):
        shown_classes(LABELS, IDS, classes, 0.5, seed=0)
