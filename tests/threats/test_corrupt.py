import numpy as np
import pytest

from windtunnel.errors import DataError, UnknownNameError
from windtunnel.sets import CORRUPTION_SETS
from windtunnel.threats.corrupt import corrupt

NAMES = CORRUPTION_SETS["common"]


def images(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("name", NAMES)
def test_severity_0_is_a_copy_and_higher_ones_leave_the_original_alone(name):
    given = images(2, 12, 12, 3)
    before = given.copy()
    unchanged = corrupt(given, name, 0)
    np.testing.assert_array_equal(unchanged, given)
    assert not np.shares_memory(unchanged, given)
    assert not np.array_equal(corrupt(given, name, 5), given)
    np.testing.assert_array_equal(given, before)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(2, 9, 7, 3), (2, 9, 7, 1), (2, 9, 7), (9, 7, 3), (9, 7, 1), (9, 7), (1, 1, 1, 3), (0, 8, 8, 3)])
def test_every_shape_comes_back_as_it_was(name, shape):
    found = corrupt(images(*shape), name, 3)
    assert found.shape == shape
    assert found.dtype == np.uint8


def test_one_image_and_a_batch_of_it_agree():
    batch = images(3, 8, 8, 3)
    whole = corrupt(batch, "fog", 2)
    np.testing.assert_array_equal(corrupt(batch[0], "fog", 2), whole[0])
    np.testing.assert_array_equal(corrupt(batch[2], "fog", 2, ids=[2]), whole[2])
    np.testing.assert_array_equal(corrupt(batch[..., 0], "fog", 2)[..., None], corrupt(batch[..., :1], "fog", 2))


def test_draws_are_keyed_by_seed_and_id_and_not_by_place():
    batch = images(3, 8, 8, 3)
    named = corrupt(batch, "gaussian-noise", 3, ids=["a", "b", "c"])
    np.testing.assert_array_equal(corrupt(batch[::-1], "gaussian-noise", 3, ids=["c", "b", "a"]), named[::-1])
    assert not np.array_equal(corrupt(batch, "gaussian-noise", 3, seed=1, ids=["a", "b", "c"]), named)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros((2, 8, 8, 3)), r"images are float64; expected a numpy array of uint8"),
        ([[0]], "images are list; expected a numpy array"),
        (images(2, 8, 8, 2), r"shape \(2, 8, 8, 2\); expected \(n, height, width, channel\) with 1 or 3"),
        (images(2, 8, 0, 3), r"shape \(2, 8, 0, 3\)"),
        (images(8), r"shape \(8,\)"),
        (images(1, 2, 8, 8, 3), r"shape \(1, 2, 8, 8, 3\)"),
    ],
)
def test_what_is_no_image_is_refused(given, message):
    with pytest.raises(DataError, match=message):
        corrupt(given, "fog", 1)


@pytest.mark.parametrize("severity", [-1, 6, 1.5, "3", True, None])
def test_other_severities_are_refused(severity):
    with pytest.raises(DataError, match=r"severity .* is not one of 0 \(unchanged\), 1, 2, 3, 4, 5"):
        corrupt(images(8, 8), "fog", severity)


@pytest.mark.parametrize("ids", [["a"], ["a", "a"], ["a", "b", "c"], []])
def test_ids_must_be_one_distinct_id_per_image(ids):
    with pytest.raises(DataError, match="2 images need as many distinct ids"):
        corrupt(images(2, 8, 8, 3), "fog", 1, ids=ids)


@pytest.mark.parametrize("name", ["fogg", "pgd", "clean", ""])
def test_unknown_corruptions_are_refused_with_the_choices(name):
    with pytest.raises(UnknownNameError, match=rf"Unknown corruption '{name}'\. .*Choose from: avif, brightness, .*, jpeg, lens-dirt, low-light, "):
        corrupt(images(8, 8), name, 1)
