"""Augmentations of images: what each does to pixels, and how often."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.augmenting import augmented, minibatch, pictures
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as peer

from windtunnel.errors import RecipeError
from windtunnel.recipes.augmentation.erasing import Erasing, rectangle
from windtunnel.recipes.augmentation.noise import Noise
from windtunnel.recipes.augmentation.patterns import fractals
from windtunnel.recipes.augmentation.pixmix import added, multiplied
from windtunnel.seeding import generator

MANY, FEW = pictures(900, height=6, width=6), pictures(40, 3)
BEFORE = minibatch(FEW).inputs


def changed(found: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
    return (found != before).flatten(1).any(1)


@pytest.mark.parametrize("p", [0.2, 0.5, 1.0])
def test_flip_mirrors_so_many_images_left_to_right(p):
    before, found = minibatch(MANY).inputs, augmented("flip", MANY, p=p).inputs
    mirrored = (found == peer.horizontal_flip(before)).flatten(1).all(1)
    assert (mirrored | (found == before).flatten(1).all(1)).all()
    assert float(mirrored.float().mean()) == pytest.approx(p, abs=0.05)


def test_rotation_turns_by_angles_drawn_evenly_as_torchvision_does():
    found = augmented("rotation", FEW, degrees=40).inputs
    candidates = np.linspace(-40, 40, 801)
    angles = []
    for image, turned in zip(BEFORE[:12], found[:12], strict=True):
        errors = [float((peer.rotate(image, angle, InterpolationMode.BILINEAR) - turned).abs().mean()) for angle in candidates]
        angles.append(candidates[int(np.argmin(errors))])
        assert min(errors) < 2e-3
    assert min(angles) < -10
    assert max(angles) > 10


def test_a_crop_shows_a_window_of_the_image_within_a_black_frame():
    found = augmented("crop", FEW, padding=0.25).inputs
    framed = torch.nn.functional.pad(BEFORE, (4, 4, 4, 4))
    places = []
    for image, cut in zip(framed, found, strict=True):
        places += [(top, left) for top in range(9) for left in range(9) if torch.equal(image[:, top : top + 16, left : left + 16], cut)]
    assert len(places) == len(found)
    assert {0, 4, 8} <= {top for top, _ in places}
    assert {0, 4, 8} <= {left for _, left in places}


def test_the_published_crop_moves_images_of_32_pixels_by_up_to_four():
    data = pictures(200, 1, 32, 32)
    found, framed = augmented("crop", data).inputs, torch.nn.functional.pad(minibatch(data).inputs, (4, 4, 4, 4))
    tops = [next(top for top in range(9) for left in range(9) if torch.equal(image[:, top : top + 32, left : left + 32], cut))
            for image, cut in zip(framed, found, strict=True)]  # fmt: skip
    assert set(tops) == set(range(9))


def test_noise_is_gaussian_of_its_sigma_on_its_share_of_the_images():
    data = pictures(300)
    before, found = minibatch(data).inputs, augmented("noise", data, sigma=0.05, p=0.3).inputs
    noisy = changed(found, before)
    assert float(noisy.float().mean()) == pytest.approx(0.3, abs=0.08)
    inside = (before > 0.25) & (before < 0.75) & noisy.view(-1, 1, 1, 1)
    difference = (found - before)[inside]
    assert float(difference.std()) == pytest.approx(0.05, rel=0.03)
    assert abs(float(difference.mean())) < 0.002
    assert float((difference.abs() < 0.05).float().mean()) == pytest.approx(0.683, abs=0.02), "the share of a normal within one deviation"
    assert float(found.min()) >= 0
    assert float(found.max()) <= 1


def test_of_several_sigmas_each_image_draws_one():
    data = pictures(300)
    before, found = minibatch(data).inputs, augmented("noise", data, sigma=(0.01, 0.05), p=1).inputs
    spread = torch.stack([difference[(image > 0.25) & (image < 0.75)].std() for difference, image in zip(found - before, before, strict=True)])
    assert float((spread < 0.025).float().mean()) == pytest.approx(0.5, abs=0.1)
    with pytest.raises(RecipeError, match="sigma is an empty list"):
        Noise(sigma=())


def test_erasing_fills_one_rectangle_of_published_area_and_shape():
    data = pictures(300, 1, 32, 32)
    before, found = minibatch(data).inputs, augmented("erasing", data).inputs
    hit = changed(found, before)
    assert float(hit.float().mean()) == pytest.approx(0.5, abs=0.08)
    areas, ratios = [], []
    for image, other in zip(found[hit][:, 0], before[hit][:, 0], strict=True):
        rows, columns = (image != other).nonzero().unbind(1)
        tall, wide = int(rows.max() - rows.min()) + 1, int(columns.max() - columns.min()) + 1
        areas.append(tall * wide / 1024)
        ratios.append(tall / wide)
        assert float((image != other).float().sum()) >= 0.97 * tall * wide, "a full rectangle"
    assert min(areas) < 0.06
    assert 0.3 < max(areas) <= 0.4
    assert min(ratios) < 0.6
    assert max(ratios) > 1.7
    assert all(0.2 < ratio < 4.5 for ratio in ratios), "whole pixels round the ratios of narrow ones"


def test_rectangles_stay_inside_and_bad_areas_are_refused():
    for number in range(50):
        rows, columns = rectangle(Erasing(), 10, 20, generator(number))
        assert 0 <= rows.start <= rows.stop <= 10
        assert 0 <= columns.start <= columns.stop <= 20
    assert rectangle(Erasing(smallest=1, largest=1, flattest=0.3), 8, 80, generator(0)) is None, "none of that area fits in"
    with pytest.raises(RecipeError, match="is above largest"):
        Erasing(smallest=0.5, largest=0.1)


def test_randaugment_without_magnitude_changes_only_by_operations_that_have_none():
    found = augmented("randaugment", pictures(400), operations=1, magnitude=0).inputs
    still = ~changed(found, minibatch(pictures(400)).inputs)
    # Of 14, those that change an ordinary image whatever the magnitude: autocontrast and equalize.
    assert float(still.float().mean()) == pytest.approx(12 / 14, abs=0.05)


def test_more_operations_of_randaugment_change_more_images():
    data = pictures(400)
    before = minibatch(data).inputs
    one, two, none = (augmented("randaugment", data, operations=count).inputs for count in (1, 2, 0))
    assert torch.equal(none, before)
    # A published magnitude changes an image by each operation but identity, solarize (of which 0.7 is the threshold, too) and colour of grey.
    assert float(changed(one, before).float().mean()) == pytest.approx(12 / 14, abs=0.08)
    assert float(changed(two, before).float().mean()) > float(changed(one, before).float().mean())


def test_trivialaugment_draws_its_strength_anew_for_each_image():
    data = pictures(600)
    before, found = minibatch(data).inputs, augmented("trivialaugment", data).inputs
    moved = (found - before).abs().mean((1, 2, 3))
    assert float((moved > 0.2).float().mean()) > 0.1
    assert float(((moved > 0) & (moved < 0.05)).float().mean()) > 0.1
    assert torch.equal(augmented("trivialaugment", data, p=0).inputs, before)


def test_pixmix_adds_and_multiplies_about_the_middle_grey():
    """With all weight on the image both keep it; grey added or multiplied in changes nothing, whatever its weight."""
    one, none, some = (torch.full((40, 1, 1, 1), value) for value in (1.0, 0.0, 0.7))
    grey = torch.full_like(BEFORE, 0.5)
    for mix in (added, multiplied):
        torch.testing.assert_close(mix(BEFORE, 1 - BEFORE, one, none), BEFORE)
        torch.testing.assert_close(mix(BEFORE, grey, one, some), BEFORE)
    torch.testing.assert_close(added(BEFORE, 1 - BEFORE, one / 2, one / 2), grey)
    x, y = 0.4, 0.7
    found = multiplied(torch.full((1, 1, 1, 1), x), torch.full((1, 1, 1, 1), y), some[:1], -some[:1])
    assert float(found) == pytest.approx((2 * x) ** 0.7 * (2 * y) ** -0.7 / 2)
    assert torch.isfinite(multiplied(torch.zeros_like(BEFORE), torch.zeros_like(BEFORE), 1 + some, -some)).all()


def test_pixmix_mixes_in_up_to_its_rounds_and_lets_some_images_be():
    data = pictures(500, 1, 12, 12)
    before, found = minibatch(data).inputs, augmented("pixmix", data, patterns=16).inputs
    # No round one time in five, and the start unchanged one time in two.
    assert float((~changed(found, before)).float().mean()) == pytest.approx(0.1, abs=0.05)
    weak = augmented("pixmix", data, patterns=16, beta=50).inputs
    assert float((weak - before).abs().mean()) < 0.6 * float((found - before).abs().mean())


def test_fractals_are_keyed_differ_and_have_structure():
    found = fractals(0, 12, 24, 30, 3)
    assert found.shape == (12, 3, 24, 30)
    assert found.min() >= 0
    assert found.max() <= 1
    assert np.array_equal(found, fractals(0, 12, 24, 30, 3))
    assert not np.array_equal(found, fractals(1, 12, 24, 30, 3))
    assert (found.std((2, 3)).max(1) > 0.03).mean() > 0.8, "hardly any is a plain ground"
    roughness = np.abs(np.diff(found, axis=3)).mean((1, 2, 3)) / found.std((2, 3)).mean(1)
    assert (roughness < 1).all(), "neighbours are nearer to each other than in noise, where the ratio is 1.13"
