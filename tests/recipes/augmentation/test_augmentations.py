"""What every augmentation of the table must do: keyed draws, ranges, learning, the same bytes again."""

from __future__ import annotations

import pytest
import torch
from support.augmenting import augmented, minibatch, pictures
from support.small import Stripes

from windtunnel.builtins import AUGMENTATIONS
from windtunnel.core.modality import IMAGE
from windtunnel.recipes.supervised import Supervised

OFF = {
    "flip": {"p": 0},
    "rotation": {"degrees": 0},
    "crop": {"padding": 0},
    "noise": {"sigma": 0},
    "erasing": {"p": 0},
    "randaugment": {"operations": 0},
    "trivialaugment": {"p": 0},
    "mixup": {"p": 0},
    "cutmix": {"p": 0},
    "embedding-mixup": {"p": 0},
    "perturbation": {"threats": ["brightness"], "p": 0},
}
"""Arguments with which an augmentation changes nothing."""

NEEDS = {"perturbation": {"threats": ["brightness"]}, "textattack-augmenter": {"name": "charswap"}}
"""Arguments without which there is none."""

IMAGES = [name for name in AUGMENTATIONS if IMAGE in AUGMENTATIONS.load(name)(**NEEDS.get(name, {})).modalities]
MIXING = [name for name in IMAGES if AUGMENTATIONS.load(name).mixes]
DATA = pictures(24, 3)


def seen(name: str, *given, **arguments) -> torch.Tensor:
    """All images that a minibatch holds after an augmentation."""
    found = augmented(name, DATA, *given, **NEEDS.get(name, {}), **arguments)
    return torch.stack([found.inputs, *found.views], 1)


def trained(work, seed=0, **given):
    return Supervised(**{"epochs": 2, "batch": 16} | given).finetune(work(seed)).last


def equal(first, second) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("name", [name for name in IMAGES if name not in MIXING])
def test_what_becomes_of_an_image_depends_on_seed_epoch_and_id_alone(name):
    whole = seen(name)
    torch.testing.assert_close(seen(name, [5, 3, 17]), whole[[5, 3, 17]], rtol=0, atol=1e-6)
    assert torch.equal(seen(name), whole)
    assert not torch.equal(seen(name, epoch=2), whole)
    assert not torch.equal(seen(name, seed=1), whole)


@pytest.mark.parametrize("name", MIXING)
def test_shares_depend_on_seed_epoch_and_id_alone_and_partners_on_the_minibatch(name):
    given = {} if name == "cutmix" else {"alpha": 1.0}
    whole = augmented(name, DATA, **given)
    assert torch.equal(augmented(name, DATA, [5, 3, 17], **given).share, whole.share[[5, 3, 17]])
    assert torch.equal(augmented(name, DATA, **given).other, whole.other)
    assert not torch.equal(augmented(name, DATA, epoch=2, **given).share, whole.share)


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("channels", [1, 3])
def test_images_keep_shape_type_and_range_and_those_given_are_not_written_to(name, channels):
    data = pictures(24, channels, 12, 10)
    given = minibatch(data)
    before = given.inputs.clone()
    found = augmented(name, data, **NEEDS.get(name, {}))
    assert torch.equal(given.inputs, before)
    for images in (found.inputs, *found.views):
        assert images.shape == before.shape
        assert images.dtype == before.dtype
        assert float(images.min()) >= 0
        assert float(images.max()) <= 1


@pytest.mark.parametrize("name", [name for name in IMAGES if name in OFF])
def test_an_augmentation_that_is_turned_off_leaves_the_recipe_as_it_was(name, work):
    plain = trained(work)
    assert equal(trained(work, augment={"use": name, **OFF[name]}), plain)
    assert not equal(trained(work, augment={"use": name, **NEEDS.get(name, {})}), plain)


@pytest.mark.parametrize("name", IMAGES)
def test_training_with_an_augmentation_repeats_byte_for_byte_and_learns(name, work):
    given = {"epochs": 8, "augment": {"use": name, **NEEDS.get(name, {})}, "lr": 5e-3}
    recipe = Supervised(batch=16, **given)
    first, second = recipe.finetune(work()), recipe.finetune(work())
    assert equal(first.best, second.best)
    assert equal(first.last, second.last)
    assert first.curves == second.curves
    val = Stripes().load()["val"].batch()
    right = (first.network(val.inputs).argmax(1) == val.labels).float().mean()
    assert float(right) > 0.8, "three well separated classes are learned"


@pytest.mark.parametrize("name", [name for name in IMAGES if name != "embedding-mixup"])
def test_working_through_a_batch_in_parts_agrees_to_rounding(name, work):
    """Batch norm sees another batch in every part, so it is held in evaluation mode by moving the head alone."""
    given = {"augment": {"use": name, **NEEDS.get(name, {})}, "scope": "head", "epochs": 1}
    whole, parts = trained(work, **given), trained(work, **given, accumulate=2)
    for key, tensor in whole.items():
        torch.testing.assert_close(parts[key], tensor, rtol=1e-4, atol=1e-5)


def test_augmentations_act_in_the_order_in_which_they_are_given():
    assert [part.use for part in Supervised(augment=["crop", "flip", "noise"]).augment] == ["crop", "flip", "noise"]
