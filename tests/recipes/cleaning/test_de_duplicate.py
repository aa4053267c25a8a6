"""De-duplication: near copies are found, others are not, and conflicting labels are settled as asked."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from windtunnel.conditions.near_duplicates import NearDuplicates
from windtunnel.core.cleaning import Cleaned
from windtunnel.core.dataset import Dataset
from windtunnel.core.recipe import Finetuning
from windtunnel.core.texts import Texts
from windtunnel.datasets.digits import Digits
from windtunnel.recipes.cleaning.de_duplicate import DeDuplicate, groups
from windtunnel.recipes.cleaning.likeness import alike_texts


def data(store, labels=None) -> Dataset:
    labels = np.zeros(len(store)) if labels is None else np.asarray(labels)
    return Dataset("made[train]", ("a", "b", "c"), tuple(f"s{row}" for row in range(len(store))), labels.astype(np.int64), store)


def clean(train: Dataset, **arguments) -> Cleaned:
    def features(part: Dataset) -> torch.Tensor:
        raise AssertionError("nobody needs features to find duplicates")

    return DeDuplicate(**arguments).clean(Finetuning(None, train, train.take([]), 0, torch.device("cpu"), features))


def texts(*lines: str, labels=None) -> Dataset:
    return data(Texts.of(lines), labels)


def noise(count: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *shape), dtype=np.uint8)


@pytest.mark.parametrize("conflicting", [False, True])
def test_on_digits_all_near_copies_are_found_and_nothing_else(conflicting) -> None:
    train = NearDuplicates(share=0.2, conflicting=conflicting).apply(Digits().load()["train"], "train", 0)
    copies = {name for name in train.ids if ", now nearly " in name}
    originals = {name.partition(", now nearly ")[2] for name in copies}
    found = clean(train)
    assert found.notes["groups"] == len(originals)
    assert found.notes["conflicting groups"] == (len(originals) if conflicting else 0)
    if conflicting:
        assert set(found.suspected) == copies | originals
    else:
        assert len(found.suspected) == len(copies)
        assert set(found.suspected) <= copies | originals


def test_clean_digits_lose_nothing() -> None:
    assert clean(Digits().load()["train"]).suspected == ()


def test_near_copies_of_texts_are_found() -> None:
    lines = [f"The {word} film of the year {row} was not good at all." for row, word in enumerate(("first", "second", "third", "last") * 10)]
    train = NearDuplicates(share=0.25, conflicting=True).apply(texts(*lines), "train", 0)
    copies = {name for name in train.ids if ", now nearly " in name}
    assert set(clean(train).suspected) == copies | {name.partition(", now nearly ")[2] for name in copies}


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda image: image, True),
        (lambda image: np.roll(image, 1, axis=1), True),
        (lambda image: np.clip(image // 2 + 40, 0, 255).astype(np.uint8), True),
        (lambda image: np.roll(image, 2, axis=0), False),
        (lambda image: image[::-1], False),
        (lambda image: 255 - image, False),
    ],
)
def test_a_pixel_brightness_and_contrast_are_no_difference_and_more_is(change, same) -> None:
    images = noise(3, 12, 10, 3)
    images[2] = change(images[0])
    assert clean(data(images)).suspected == (("s2",) if same else ())


def test_large_images_are_compared_smaller() -> None:
    coarse = noise(3, 16, 16, 1).repeat(8, axis=1).repeat(8, axis=2)
    coarse[2] = np.roll(coarse[0], 2, axis=1)
    assert clean(data(coarse)).suspected == ()
    assert clean(data(coarse), images=0.8).suspected == ("s2",)


def test_images_of_one_colour_are_duplicates_only_if_they_are_equal() -> None:
    images = np.stack([np.full((6, 6, 1), level, dtype=np.uint8) for level in (10, 20, 10)])
    assert clean(data(images)).suspected == ("s2",)


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("it was, all in all, a very good film with a fine cast", True),
        ("It was all in all a very good film with a fine cast!!", True),
        ("It was all in all a very good film with a fine cast indeed", True),
        ("It was all in all a very bad film with a fine cast", False),
        ("", False),
    ],
)
def test_case_and_punctuation_of_texts_are_no_difference_and_words_are(other, same) -> None:
    assert clean(texts("It was all in all a very good film with a fine cast.", other)).suspected == (("s1",) if same else ())


@pytest.mark.parametrize("least", [0.2, 0.5, 0.8, 1.0])
def test_no_pair_of_texts_is_missed_by_comparing_those_that_share_a_rare_run_only(least) -> None:
    draw = np.random.default_rng(0)
    rows = Texts.of([" ".join(draw.choice(list("abc"), draw.integers(1, 9))) for _ in range(120)])

    def runs(text: str) -> set[tuple[str, ...]]:
        words = text.split()
        return {tuple(words[start : start + 3]) for start in range(max(1, len(words) - 2))}

    every = [runs(text) for text in rows.plain()]
    wanted = {(one, two) for two in range(120) for one in range(two) if len(every[one] & every[two]) >= least * len(every[one] | every[two])}
    assert set(alike_texts(rows, least)) == wanted
    assert wanted


def test_all_fields_of_a_text_count() -> None:
    pairs = Texts((("a b c d", "yes"), ("a b c d", "no"), ("A b c d", "Yes.")), ("premise", "hypothesis"))
    assert clean(data(pairs)).suspected == ("s2",)


@pytest.mark.parametrize(
    ("labels", "conflicts", "kept"),
    [
        ((0, 0, 0), "drop", "s0"),
        ((1, 0, 0), "drop", None),
        ((1, 0, 0), "majority", "s1"),
        ((2, 1, 0), "majority", None),
        ((1, 0, 0), "first", "s0"),
    ],
)
def test_conflicting_labels_are_settled_as_asked(labels, conflicts, kept) -> None:
    found = clean(texts("same", "Same", "same.", "something else", labels=(*labels, 0)), conflicts=conflicts)
    assert found.data.ids == (*([kept] if kept else []), "s3")
    told = [{"ids": ["s0", "s1", "s2"], "labels": ["abc"[label] for label in labels], "kept": kept}]
    assert found.notes["conflicts"] == (told if len(set(labels)) > 1 else [])


def test_who_is_near_to_a_common_third_belongs_together() -> None:
    assert groups(iter([(3, 1), (1, 5), (2, 4)]), 7) == [[1, 3, 5], [2, 4]]


def test_the_fullest_group_of_a_chain_does_not_depend_on_the_order() -> None:
    images = noise(4, 12, 12, 1)
    images[1], images[2] = np.roll(images[0], 1, axis=0), np.roll(images[0], 2, axis=0)
    assert clean(data(images)).suspected == ("s1", "s2")
    backwards = dataclasses.replace(data(images[::-1]), ids=("s3", "s2", "s1", "s0"))
    assert clean(backwards).suspected == ("s1", "s0")
