from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import correlate

from windtunnel.builtins import CORRUPTION_SETS, THREATS
from windtunnel.core.dataset import to_inputs, to_pixels
from windtunnel.seeding import generator, generators
from windtunnel.threats.corruptions.blur import disk
from windtunnel.threats.corruptions.corruption import quantise
from windtunnel.threats.corruptions.fog import plasma

NAMES = CORRUPTION_SETS["common"]
SIZES = {"cifar": 20, "imagenet": 70}

# Read off make_cifar_c.py and make_imagenet_c.py, the generators that were published with arXiv 1903.12261.
PUBLISHED = {
    "gaussian-noise": {"cifar": (0.04, 0.06, 0.08, 0.09, 0.10), "imagenet": (0.08, 0.12, 0.18, 0.26, 0.38)},
    "defocus-blur": {
        "cifar": ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)),
        "imagenet": ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)),
    },
    "fog": {
        "cifar": ((0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)),
        "imagenet": ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)),
    },
    "contrast": {"cifar": (0.75, 0.5, 0.4, 0.3, 0.15), "imagenet": (0.4, 0.3, 0.2, 0.1, 0.05)},
    "pixelate": {"cifar": (0.95, 0.9, 0.85, 0.75, 0.65), "imagenet": (0.6, 0.5, 0.4, 0.3, 0.25)},
    "jpeg": {"cifar": (80, 65, 58, 50, 40), "imagenet": (25, 18, 15, 10, 7)},
}


def pixels(count=3, side=20, channels=3, seed=0):
    """Smooth images with noise on them, so that every corruption has something to take away."""
    stream = np.random.default_rng(seed)
    coarse = stream.integers(0, 256, (count, 5, 5, channels)).repeat(-(-side // 5), 1).repeat(-(-side // 5), 2)[:, :side, :side]
    return (coarse * 0.8 + stream.integers(0, 50, coarse.shape)).astype(np.uint8)


def distort(name, images, severity, seed=0, **arguments):
    ids = [f"s{row}" for row in range(len(images))]
    return THREATS.load(name)(**arguments).distort(images, severity, generators(seed, name, ids))


@pytest.mark.parametrize("name", NAMES)
def test_constants_are_the_published_ones_and_follow_the_size_of_the_images(name):
    corruption = THREATS.load(name)
    for scale, values in PUBLISHED[name].items():
        side = SIZES[scale]
        assert tuple(corruption().constant(severity, side, side) for severity in range(1, 6)) == values
        assert tuple(corruption(scale=scale).constant(severity, 1, 1) for severity in range(1, 6)) == values
    assert corruption().constant(1, 64, 500) == PUBLISHED[name]["imagenet"][0]
    assert corruption().constant(1, 63, 500) == PUBLISHED[name]["cifar"][0]


@pytest.mark.parametrize("scale", SIZES)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", NAMES)
def test_damage_grows_with_severity(name, channels, scale):
    images = pixels(side=SIZES[scale], channels=channels)
    damage = []
    for severity in range(1, 6):
        changed = distort(name, images, severity)
        assert changed.shape == images.shape
        assert changed.dtype == np.uint8
        damage.append(float(np.abs(changed.astype(float) - images).mean()))
    assert damage[0] > 0
    # Pixelation of 20 pixels to 19 or 18 may fall either way, and fog of ImageNet's severity 3 is rougher than that of 2.
    assert damage == sorted(damage) or (name in ("pixelate", "fog") and damage[-1] > damage[0])


# Noise is drawn per channel, and JPEG stores colour in another space.
@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("gaussian-noise", "jpeg")])
def test_grey_images_are_treated_as_colour_images_of_equal_channels(name):
    grey = pixels(channels=1)
    np.testing.assert_array_equal(distort(name, grey.repeat(3, 3), 3)[..., :1], distort(name, grey, 3))


@pytest.mark.parametrize("name", NAMES)
def test_results_are_the_same_alone_in_company_and_in_any_order(name):
    images = pixels(7)
    whole = distort(name, images, 4)
    threat = THREATS.load(name)()
    for row in range(7):
        alone = threat.distort(images[row : row + 1], 4, generators(0, name, [f"s{row}"]))
        assert alone[0].tobytes() == whole[row].tobytes()
    backwards = threat.distort(images[::-1], 4, generators(0, name, [f"s{row}" for row in reversed(range(7))]))
    np.testing.assert_array_equal(backwards[::-1], whole)


@pytest.mark.parametrize("name", NAMES)
def test_images_come_through_the_threat_on_the_eight_bit_grid(name):
    from windtunnel.core.batch import Batch
    from windtunnel.core.victim import Victim

    images = pixels()
    batch = Batch(to_inputs(images), torch.zeros(3, dtype=torch.int64), ("s0", "s1", "s2"))
    victim = Victim.of(lambda inputs: torch.zeros(len(inputs), 2))
    out = THREATS.load(name)(severities=3)(victim, batch, seed=5, keep=True)
    np.testing.assert_array_equal(to_pixels(out.perturbed), distort(name, images, 3, seed=5))
    assert torch.equal(to_inputs(to_pixels(out.perturbed)), out.perturbed)
    assert victim.meter.forward == 6  # clean and corrupted, and nothing else


@pytest.mark.parametrize("name", ["gaussian-noise", "fog"])
def test_draws_depend_on_seed_and_id_alone(name):
    images = pixels(2)
    same = images[[0, 0]]
    first = distort(name, same, 3)
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first, distort(name, same, 3, seed=1))
    np.testing.assert_array_equal(first, distort(name, same, 3))


def test_noise_is_the_same_draw_at_every_severity_scaled():
    grey = np.full((1, 64, 64, 1), 128, np.uint8)
    light, heavy = (distort("gaussian-noise", grey, severity, scale="cifar").astype(float) - 128 for severity in (1, 5))
    assert np.corrcoef(light.ravel(), heavy.ravel())[0, 1] > 0.99
    # Deviations of .04 and .10 of the range; 64 * 64 draws give 1.1 % of accuracy, truncation to whole levels a little more.
    np.testing.assert_allclose([light.std() / 255, heavy.std() / 255], [0.04, 0.10], rtol=0.04)
    np.testing.assert_allclose([light.mean(), heavy.mean()], [-0.5, -0.5], atol=2)


def test_contrast_is_a_convex_combination_with_each_channels_mean():
    images = pixels()
    for severity, share in enumerate(PUBLISHED["contrast"]["cifar"], start=1):
        for row, image in enumerate(images):
            for channel in range(3):
                plane = image[..., channel].astype(np.float64)
                expected = np.floor(share * plane + (1 - share) * plane.mean() + 1e-4)
                np.testing.assert_array_equal(distort("contrast", images, severity)[row, ..., channel], expected)


def test_contrast_leaves_constant_images_alone():
    images = np.arange(256, dtype=np.uint8)[:, None, None, None].repeat(4, 1).repeat(4, 2)
    np.testing.assert_array_equal(distort("contrast", images, 5), images)


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_is_one_trip_through_a_file(channels):
    images = pixels(channels=channels)
    file = BytesIO()
    Image.fromarray(images[1, ..., 0] if channels == 1 else images[1]).save(file, "JPEG", quality=58)
    expected = np.asarray(Image.open(file)).reshape(images[1].shape)
    np.testing.assert_array_equal(distort("jpeg", images, 3)[1], expected)


def test_pixelation_to_half_the_side_is_the_mean_of_four_pixels():
    images = pixels(side=70)
    found = distort("pixelate", images, 2)
    means = images.reshape(3, 35, 2, 35, 2, 3).astype(float).mean((2, 4))
    np.testing.assert_allclose(found[:, ::2, ::2], means, atol=1.01)  # Pillow rounds between the two axes
    np.testing.assert_array_equal(found[:, ::2, ::2], found[:, 1::2, 1::2])


@pytest.mark.parametrize(("scale", "severity"), [("cifar", 1), ("cifar", 5), ("imagenet", 1), ("imagenet", 4), ("imagenet", 5)])
def test_defocus_is_correlation_with_the_disk_and_mirrored_borders(scale, severity):
    images = pixels(1, side=SIZES[scale])
    kernel = disk(*PUBLISHED["defocus-blur"][scale][severity - 1])
    planes = [correlate(images[0, ..., channel] / 255, kernel, mode="mirror") for channel in range(3)]
    expected = np.stack(planes, -1) * 255
    found = distort("defocus-blur", images, severity)[0].astype(float)
    assert np.abs(found - np.floor(expected + 1e-6)).max() == 0


def test_the_disk_is_round_sums_to_one_and_has_the_published_extent():
    for radius, deviation in (*PUBLISHED["defocus-blur"]["cifar"], *PUBLISHED["defocus-blur"]["imagenet"]):
        kernel = disk(radius, deviation)
        assert kernel.shape[0] == kernel.shape[1]
        assert kernel.shape[0] % 2 == 1
        np.testing.assert_allclose(kernel, kernel[::-1, ::-1], atol=1e-16)
        np.testing.assert_allclose(kernel, kernel.T, atol=1e-16)
        # What the filter carries over the edge of the square is mirrored back, so that disks which touch it gain a little.
        assert 1 - 1e-9 < kernel.sum() < 1.02
        assert radius >= 8 or kernel.sum() < 1 + 1e-9
    centre = disk(0.3, 0.4)
    taps = np.exp(-np.array([1, 0, 1]) / (2 * 0.4**2))
    np.testing.assert_allclose(centre, np.outer(taps, taps) / taps.sum() ** 2)


def test_fog_follows_its_formula():
    images = pixels(2, side=20)
    found = distort("fog", images, 4)
    veil = plasma(20, 2, generator(0, "fog", "s1"))[:20, :20, None]
    image = images[1] / 255
    expected = (image + 1.0 * veil) * image.max() / (image.max() + 1.0) * 255
    assert np.abs(found[1] - expected).max() <= 1
    assert distort("fog", np.zeros((1, 8, 8, 3), np.uint8), 5).max() == 0


@pytest.mark.parametrize(("side", "size"), [(1, 2), (2, 2), (3, 4), (32, 32), (33, 64), (224, 256)])
def test_plasma_fills_a_power_of_two_from_0_to_1(side, size):
    heights = plasma(side, 2.0, generator("test"))
    assert heights.shape == (size, size)
    assert heights.min() == 0
    assert heights.max() == 1


def test_every_height_is_the_mean_of_its_neighbours_plus_noise_that_shrinks():
    draws = 200
    last = {decay: [] for decay in (1.5, 3.0)}
    for decay, spreads in last.items():
        for row in range(draws):
            heights = plasma(16, decay, generator("test", row))
            corners = heights[::2, ::2]
            below, right = np.roll(corners, -1, 0), np.roll(corners, -1, 1)
            noise = heights[1::2, 1::2] - (corners + below + right + np.roll(below, -1, 1)) / 4
            spreads.append(noise.std() / np.ptp(corners))
    # Three halvings separate the first noise from this one: it has shrunk by decay ** 6, relative to a range set by the first levels.
    ratio = np.mean(last[1.5]) / np.mean(last[3.0])
    assert 2**6 / 4 < ratio < 2**6 * 2


def test_plasma_has_no_seam():
    heights = np.mean([plasma(32, 2.0, generator("test", row)) for row in range(300)], axis=0)
    inside = np.abs(np.diff(heights, axis=0)).mean()
    across = np.abs(heights[0] - heights[-1]).mean()
    assert across < 2 * inside


def test_levels_are_truncated_but_not_by_rounding_errors():
    levels = np.arange(256)
    np.testing.assert_array_equal(quantise(levels / 255), levels)
    np.testing.assert_array_equal(quantise(np.array([-1.0, 0.999 / 255, 1.5 / 255, 2.0])), [0, 0, 1, 255])
