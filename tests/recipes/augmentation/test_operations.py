"""The operations of RandAugment and TrivialAugment, each against torchvision's on the same images."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from support.augmenting import minibatch, pictures
from torchvision.transforms.v2 import InterpolationMode, RandAugment, TrivialAugmentWide
from torchvision.transforms.v2 import functional as peer

from windtunnel.recipes.augmentation import geometry, operations
from windtunnel.recipes.augmentation.tables import AUGMIX, RANDAUGMENT, applied, wide

GREY, COLOUR = (minibatch(pictures(6, channels, 14, 18)).inputs for channels in (1, 3))
ORDER = (
    "Identity", "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness", "Color", "Contrast", "Sharpness", "Posterize",
    "Solarize", "AutoContrast", "Equalize",
)  # fmt: skip
"""Torchvision's names of the operations in the order of our tables."""


def amount(value: float, images: torch.Tensor) -> torch.Tensor:
    return torch.full((len(images),), value)


@pytest.mark.parametrize("images", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("factor", [0.1, 0.7, 1.0, 1.6])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (operations.brightness, peer.adjust_brightness),
        (operations.colour, peer.adjust_saturation),
        (operations.contrast, peer.adjust_contrast),
        (operations.sharpness, peer.adjust_sharpness),
    ],
)
def test_blends_agree_with_torchvision(ours, theirs, factor, images):
    # Torchvision has another fourth digit of the weight of red.
    torch.testing.assert_close(ours(images, amount(factor, images)), theirs(images, factor), rtol=0, atol=2e-4)


@pytest.mark.parametrize("images", [GREY, COLOUR], ids=["grey", "colour"])
def test_operations_on_levels_agree_with_torchvision(images):
    levels = (images * 255).round().byte()
    for bits in (1, 3, 8):
        assert torch.equal((operations.posterize(images, amount(bits, images)) * 255).round().byte(), peer.posterize(levels, bits))
    for threshold in (0.0, 0.3, 178 / 255, 1.0):
        torch.testing.assert_close(operations.solarize(images, amount(threshold, images)), peer.solarize(images, threshold - 1e-7))
    torch.testing.assert_close(operations.autocontrast(images, amount(0, images)), peer.autocontrast(images), rtol=0, atol=1e-5)
    assert torch.equal((operations.equalize(images, amount(0, images)) * 255).round().byte(), peer.equalize(levels))


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
@pytest.mark.parametrize("value", [-0.4, 0.25])
def test_movements_agree_with_torchvision_to_the_rim(mode, value):
    given = {"interpolation": InterpolationMode(mode), "angle": 0.0, "scale": 1.0}
    still = {"translate": [0, 0], "shear": [0.0, 0.0]}
    slope, pixels = math.degrees(math.atan(value)), round(value * 10)
    size = COLOUR.shape[2:]
    pairs = [
        (geometry.rotation(amount(value * 100, COLOUR), *size), peer.rotate(COLOUR, value * 100, given["interpolation"])),
        (geometry.shear_x(amount(value, COLOUR), *size), peer.affine(COLOUR, **given | still | {"shear": [slope, 0.0], "center": [0, 0]})),
        (geometry.shear_y(amount(value, COLOUR), *size), peer.affine(COLOUR, **given | still | {"shear": [0.0, slope], "center": [0, 0]})),
        (geometry.translation_x(amount(-float(pixels), COLOUR), *size), peer.affine(COLOUR, **given | still | {"translate": [pixels, 0]})),
        (geometry.translation_y(amount(-float(pixels), COLOUR), *size), peer.affine(COLOUR, **given | still | {"translate": [0, pixels]})),
    ]
    for matrices, theirs in pairs:
        differs = (geometry.moved(COLOUR, matrices, mode) - theirs).abs() > 1e-3
        # A pixel halfway between two others may be taken from either.
        assert differs.float().mean() < (0.02 if mode == "nearest" else 1e-6)


@pytest.mark.parametrize("kind", ["randaugment", "trivialaugment"])
@pytest.mark.parametrize("step", [0, 9, 17, 30])
@pytest.mark.parametrize("sign", [-1, 1])
def test_every_entry_of_a_table_does_what_torchvision_does_at_that_magnitude(kind, step, sign):
    table, theirs = (RANDAUGMENT, RandAugment()) if kind == "randaugment" else (wide(32), TrivialAugmentWide())
    levels = (COLOUR * 255).round().byte()
    for number, name in enumerate(ORDER):
        of, signed = theirs._AUGMENTATION_SPACE[name]
        magnitudes = of(31, *COLOUR.shape[2:])
        magnitude = 0.0 if magnitudes is None else float(magnitudes[step]) * (sign if signed else 1)
        given = levels if name in ("Posterize", "Equalize") else COLOUR
        expected = theirs._apply_image_or_video_transform(given, name, magnitude, InterpolationMode.NEAREST, theirs._fill)
        expected = expected.float() / 255 if given is levels else expected
        found = applied(COLOUR, table, np.full(len(COLOUR), number), np.full(len(COLOUR), sign * step / 30), "nearest")
        assert ((found - expected).abs() > 2e-4).float().mean() < 0.02, name


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_any_number_of_channels_keeps_its_shape_and_range(channels):
    images = minibatch(pictures(14, channels, 9, 7)).inputs
    for table in (RANDAUGMENT, wide(32), AUGMIX):
        for level in (-1, 0.5, 1):
            found = applied(images, table, np.arange(14) % len(table), np.full(14, level), "nearest")
            assert found.shape == images.shape
            assert float(found.min()) >= 0
            assert float(found.max()) <= 1


def test_images_that_draw_no_operation_stay_and_those_given_are_not_written_to():
    before = COLOUR.clone()
    found = applied(COLOUR, RANDAUGMENT, np.array([-1, 0, 5, 6, 10, -1]), np.full(6, 0.9), "nearest")
    assert torch.equal(COLOUR, before)
    same = [torch.equal(each, other) for each, other in zip(found, before, strict=True)]
    assert same == [True, True, False, False, False, True]
