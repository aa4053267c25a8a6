"""Conditions that change inputs: missing values, near duplicates, shortcuts."""

from __future__ import annotations

import numpy as np
import pytest

from windtunnel.conditions.missing import Missing
from windtunnel.conditions.near_duplicates import NearDuplicates
from windtunnel.conditions.shortcut import Shortcut
from windtunnel.core.shortcut import word
from windtunnel.errors import DataError


def test_the_share_of_pixels_of_each_image_is_set_to_the_value_and_the_rest_stays(images) -> None:
    # The value is one that no pixel has, for the test to find it.
    grey = images.pixels() // 2 * 2
    data = type(images)(images.name, images.classes, images.ids, images.labels, grey)
    found = Missing(share=0.25, value=127 / 255).apply(data, "train", 0).pixels()
    holes = (found == 127).all(-1)
    assert holes.sum((1, 2)).tolist() == [round(0.25 * 42)] * 500
    np.testing.assert_array_equal(found[~holes], grey[~holes])
    # Places are drawn for each image on its own: every pixel is missing about as often.
    assert 80 < holes.sum(0).min() < holes.sum(0).max() < 165


def test_squares_lie_on_a_grid_and_are_missing_as_a_whole(images) -> None:
    found = Missing(share=0.5, patch=3).apply(images, "train", 0).pixels()
    holes = (found == 0).all(-1)
    for corner in ((0, 0), (0, 3), (3, 0), (3, 3)):
        square = holes[:, corner[0] : corner[0] + 3, corner[1] : corner[1] + 3].reshape(500, -1)
        assert (square.all(1) | (square.mean(1) < 0.5)).all()
        assert 150 < square.all(1).sum() < 350
    # Two rows and three columns of squares, the last one a pixel wide: three of the six are missing.
    assert set(holes.sum((1, 2)).tolist()) <= {9 + 9 + 9, 9 + 9 + 3, 9 + 3 + 3}


def test_the_share_of_words_of_each_text_is_left_out_in_their_order(texts) -> None:
    found = Missing(share=0.5).apply(texts, "train", 0).texts()
    for before, after in zip(texts.texts(), found, strict=True):
        words, kept = before[0].split(), after[0].split()
        assert len(kept) == len(words) - round(0.5 * len(words))
        places = iter(words)
        assert all(word in places for word in kept)
    assert all(len(row[0].split()) == 1 for row in Missing(share=0.99).apply(texts, "train", 0).texts())


def test_near_copies_are_moved_by_one_pixel_and_one_level(images) -> None:
    found = NearDuplicates(share=0.3).apply(images, "train", 0)
    pixels, before = found.pixels().astype(int), images.pixels().astype(int)
    copies = [row for row, name in enumerate(found.ids) if name != images.ids[row]]
    assert len(copies) == 150
    assert len(found) == len(images)
    for row in copies:
        original = images.ids.index(found.ids[row].rpartition(" ")[2])
        assert images.ids[original] in found.ids, "originals stay"
        assert found.labels[row] == images.labels[original]
        shifts = [np.pad(before[original], ((1, 1), (1, 1), (0, 0)), mode="edge")[top : top + 6, left : left + 7] for top, left in
                  ((0, 1), (2, 1), (1, 0), (1, 2))]  # fmt: skip
        assert any((np.clip(shift + step, 0, 255) == pixels[row]).all() for shift in shifts for step in (1, -1))
    rest = [row for row in range(500) if row not in set(copies)]
    np.testing.assert_array_equal(pixels[rest], before[rest])


def test_near_copies_of_texts_differ_in_one_letters_case_or_their_stop(texts) -> None:
    found = NearDuplicates(share=0.3).apply(texts, "train", 0)
    ways = set()
    for name, row in zip(found.ids, found.texts(), strict=True):
        if name not in texts.ids:
            original = texts.texts().rows[texts.ids.index(name.rpartition(" ")[2])]
            assert row[1] == original[1]
            ways.add({f"t{original[0][1:]}": "case", original[0][:-1]: "stop"}[row[0]])
    assert ways == {"case", "stop"}


def test_conflicting_copies_carry_another_label_than_their_originals(images) -> None:
    found = NearDuplicates(share=0.3, conflicting=True).apply(images, "train", 0)
    pairs = [(images.labels[images.ids.index(name.rpartition(" ")[2])], label) for name, label in zip(found.ids, found.labels, strict=True)
             if " " in name]  # fmt: skip
    assert len(pairs) == 150
    assert all(original != label for original, label in pairs)


def test_a_patch_stands_for_the_label_as_often_as_said_and_groups_tell_where_it_does_not(images) -> None:
    dark = type(images)(images.name, images.classes, images.ids, images.labels, np.zeros((500, 8, 8, 1), np.uint8))
    found = Shortcut(correlation=0.8, size=2).apply(dark, "train", 0)
    pixels = found.pixels()[..., 0]
    patches = {(0, 0): pixels[:, :2, :2], (0, 1): pixels[:, :2, 6:], (1, 0): pixels[:, 6:, :2], (1, 1): pixels[:, 6:, 6:]}
    assert ((pixels > 0).sum((1, 2)) == 4).all()
    seen = [next(((*corner, int(patch[row, 0, 0])) for corner, patch in patches.items() if patch[row, 0, 0])) for row in range(500)]
    agrees = found.groups % 2 == 1
    np.testing.assert_array_equal(found.groups // 2, found.labels)
    signs = [{seen[row] for row in np.flatnonzero(agrees & (found.labels == label))} for label in range(10)]
    assert [len(each) for each in signs] == [1] * 10
    assert len(set().union(*signs)) == 10, "each class has a patch of its own"
    assert all(seen[row] not in signs[found.labels[row]] for row in np.flatnonzero(~agrees))
    assert 0.75 < agrees.mean() < 0.85
    wrong = [next(label for label in range(10) if seen[row] in signs[label]) for row in np.flatnonzero(~agrees)]
    assert len(set(wrong)) == 10


def test_a_word_stands_for_the_label_in_front_of_the_open_field(texts) -> None:
    found = Shortcut(correlation=1.0).apply(texts, "train", 0)
    assert [row[0] for row in found.texts()] == [f"{word(label)} {row[0]}" for label, row in zip(texts.labels, texts.texts(), strict=True)]
    assert set(found.groups % 2) == {1}


def test_a_single_class_has_nothing_to_be_mistaken_for(images) -> None:
    alone = type(images)("one", ("a",), images.ids, images.labels * 0, images.store)
    with pytest.raises(DataError, match="A shortcut needs 2 to 1020 classes; there are 1"):
        Shortcut().apply(alone, "train", 0)
    with pytest.raises(DataError, match="need two classes"):
        NearDuplicates(conflicting=True).apply(alone, "train", 0)
