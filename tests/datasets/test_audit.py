"""Repeated, contradicting and constant images, found before anything is split."""

from dataclasses import replace

import numpy as np

from windtunnel.core.dataset import Dataset
from windtunnel.datasets.audit import examine
from windtunnel.datasets.content import CHUNK, read_contents
from windtunnel.datasets.source import SplittingSource


class Given(SplittingSource):
    """A source of whatever a test puts in."""

    use = "given"

    def load(self):
        raise NotImplementedError

    def stamp(self):
        return self.evidence()


def dataset(prefix, pixels, labels, classes=("a", "b")):
    ids = tuple(f"{prefix}/{row}" for row in range(len(labels)))
    return Dataset(prefix, classes, ids, np.array(labels), pixels)


def noise(count, seed):
    return np.random.default_rng(seed).integers(0, 256, (count, 4, 4, 1), dtype=np.uint8)


def look(parts):
    return examine(parts, {name: found for part in parts.values() for name, found in read_contents(part).items()})


def test_of_equal_images_the_first_stays():
    pixels = noise(6, 0)
    pixels[4] = pixels[1]
    pixels[5] = pixels[1]
    found = look({"train": dataset("train", pixels, [0, 1, 0, 1, 1, 1])})
    assert found.audit.found == 6
    assert found.audit.duplicates == ("train/4", "train/5")
    assert found.kept["train"].tolist() == [0, 1, 2, 3]
    assert found.audit.balance == {"a": 2, "b": 2}


def test_equal_images_with_different_labels_all_go():
    pixels = noise(5, 0)
    pixels[3] = pixels[0]
    pixels[4] = pixels[0]
    found = look({"train": dataset("train", pixels, [0, 1, 0, 1, 0])})
    assert found.audit.conflicts == ("train/0", "train/3", "train/4")
    assert found.audit.duplicates == ()
    assert found.kept["train"].tolist() == [1, 2]


def test_what_is_in_test_too_leaves_train_and_val():
    train, val, test = noise(6, 0), noise(4, 1), noise(4, 2)
    train[0], val[1], train[2] = test[0], test[3], val[2]
    found = look({"train": dataset("train", train, [0] * 6), "val": dataset("val", val, [0] * 4), "test": dataset("test", test, [0] * 4)})
    assert sorted(found.audit.duplicates) == ["train/0", "train/2", "val/1"]
    assert [len(found.kept[split]) for split in ("train", "val", "test")] == [4, 3, 4]


def test_constant_images_are_reported_and_kept():
    pixels = noise(3, 0)
    pixels[1] = 7
    found = look({"train": dataset("train", pixels, [0, 0, 0])})
    assert found.audit.constant == ("train/1",)
    assert found.kept["train"].tolist() == [0, 1, 2]


def test_a_class_that_lost_every_image_shows_in_the_balance():
    pixels = noise(3, 0)
    pixels[2] = pixels[1]
    found = look({"train": dataset("train", pixels, [0, 0, 1])})
    assert found.audit.balance == {"a": 1, "b": 0}


def test_contents_are_the_same_for_any_store_and_length():
    pixels = noise(CHUNK + 3, 0)
    whole = dataset("x", pixels, [0] * len(pixels))
    turned = whole.take(range(len(whole))[::-1])
    assert read_contents(whole) == read_contents(turned)
    assert read_contents(whole.take([CHUNK + 1])) == {f"x/{CHUNK + 1}": read_contents(whole)[f"x/{CHUNK + 1}"]}


def test_duplicates_planted_across_would_be_splits_go_before_the_split():
    pixels = noise(400, 3)
    clean = dataset("x", pixels[:200], [0, 1] * 100)
    pixels[200:] = pixels[:200]  # every image twice: without the audit nearly every test image would be in train too
    splits = Given().assemble({"train": dataset("x", pixels, [0, 1] * 200)}).splits
    seen = [part.pixels()[row].tobytes() for part in splits.values() for row in range(len(part))]
    assert len(seen) == len(set(seen)) == 200
    alone = Given().assemble({"train": clean}).splits
    assert {split: part.ids for split, part in splits.items()} == {split: part.ids for split, part in alone.items()}


def test_an_official_test_split_stays_and_val_is_cut_from_train():
    train, test = dataset("train", noise(100, 0), [0, 1] * 50), dataset("test", noise(30, 1), [0, 1] * 15)
    splits = Given().assemble({"train": train, "test": test}).splits
    assert splits["test"].ids == test.ids
    assert (len(splits["train"]), len(splits["val"])) == (80, 20)
    assert sorted(splits["train"].ids + splits["val"].ids) == sorted(train.ids)
    assert [part.name for part in splits.values()] == ["given[train]", "given[val]", "given[test]"]


def test_data_that_is_only_for_testing_keeps_its_one_split():
    test = dataset("test", noise(30, 1), [0, 1] * 15)
    assert list(Given().assemble({"test": test}).splits) == ["test"]
    alone = Given(fractions=(0, 0, 1)).assemble({"train": replace(test)})
    assert alone["test"].ids == test.ids
