import ast
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from perf.corruptions import DETERMINISTIC, OTHER_CONSTANTS, agreement, crops, ours, theirs
from perf.peers import imagecorruptions
from PIL import Image
from scipy.ndimage import correlate
from scipy.stats import poisson

from windtunnel.builtins import THREATS
from windtunnel.core.dataset import to_inputs, to_pixels
from windtunnel.errors import MissingPackageError
from windtunnel.seeding import generator, generators
from windtunnel.sets import CORRUPTION_SETS
from windtunnel.threats.corruptions.blur import disk
from windtunnel.threats.corruptions.corruption import quantise
from windtunnel.threats.corruptions.fog import plasma
from windtunnel.threats.corruptions.glass import _shuffle
from windtunnel.threats.corruptions.ice import Photographs, procedural
from windtunnel.threats.corruptions.noise import _Counts

PUBLISHED_NAMES = (*CORRUPTION_SETS["common"], *CORRUPTION_SETS["extra"])
NAMES = (*PUBLISHED_NAMES, *CORRUPTION_SETS["practical"])
SIZES = {"cifar": 20, "imagenet": 70}

# Read off make_cifar_c.py and, for what imagecorruptions replaced, make_imagenet_c.py: the generators published with arXiv 1903.12261.
CIFAR = {
    "gaussian-noise": (0.04, 0.06, 0.08, 0.09, 0.10),
    "shot-noise": (500, 250, 100, 75, 50),
    "impulse-noise": (0.01, 0.02, 0.03, 0.05, 0.07),
    "speckle-noise": (0.06, 0.1, 0.12, 0.16, 0.2),
    "gaussian-blur": (0.4, 0.6, 0.7, 0.8, 1),
    "glass-blur": ((0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)),
    "defocus-blur": ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)),
    "motion-blur": ((6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)),
    "zoom-blur": ((1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01)),
    "fog": ((0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)),
    "frost": ((1, 0.2), (1, 0.3), (0.9, 0.4), (0.85, 0.4), (0.75, 0.45)),
    "snow": (
        (0.1, 0.2, 1, 0.6, 8, 3, 0.95),
        (0.1, 0.2, 1, 0.5, 10, 4, 0.9),
        (0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
        (0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
        (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
    ),
    "spatter": (
        (0.62, 0.1, 0.7, 0.7, 0.5, 0),
        (0.65, 0.1, 0.8, 0.7, 0.5, 0),
        (0.65, 0.3, 1, 0.69, 0.5, 0),
        (0.65, 0.1, 0.7, 0.69, 0.6, 1),
        (0.65, 0.1, 0.5, 0.68, 0.6, 1),
    ),
    "contrast": (0.75, 0.5, 0.4, 0.3, 0.15),
    "brightness": (0.05, 0.1, 0.15, 0.2, 0.3),
    "saturate": ((0.3, 0), (0.1, 0), (1.5, 0), (2, 0.1), (2.5, 0.2)),
    "jpeg": (80, 65, 58, 50, 40),
    "pixelate": (0.95, 0.9, 0.85, 0.75, 0.65),
    "elastic-transform": tuple(
        (32 * size, 32 * smooth, 32 * corner)
        for size, smooth, corner in ((0, 0, 0.08), (0.05, 0.2, 0.07), (0.08, 0.06, 0.06), (0.1, 0.04, 0.05), (0.1, 0.03, 0.03))
    ),
}
IMAGENET_ELASTIC = tuple(
    (244 * size, 244 * smooth, 244 * corner)
    for size, smooth, corner in ((2, 0.7, 0.1), (2, 0.08, 0.2), (0.05, 0.01, 0.02), (0.07, 0.01, 0.02), (0.12, 0.01, 0.02))
)


@cache
def imagenet(name):
    """The constants that imagecorruptions writes down at the head of a function, read from its source."""
    if name == "elastic-transform":
        return IMAGENET_ELASTIC
    function = getattr(imagecorruptions(), {"jpeg": "jpeg_compression"}.get(name, name.replace("-", "_")))
    tree = ast.parse(Path(imagecorruptions().__file__).read_text())
    (body,) = (node.body for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function.__name__)
    (listed,) = (node.value.value for node in body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "c")
    if name == "zoom-blur":
        return tuple(tuple(ast.literal_eval(argument) for argument in call.args[1:]) for call in listed.elts)
    return tuple(ast.literal_eval(listed))


PUBLISHED = {name: {"cifar": CIFAR[name], "imagenet": imagenet(name)} for name in PUBLISHED_NAMES}


def pixels(count=3, side=20, channels=3, seed=0):
    """Smooth images with noise on them, so that every corruption has something to take away."""
    stream = np.random.default_rng(seed)
    coarse = stream.integers(0, 256, (count, 5, 5, channels)).repeat(-(-side // 5), 1).repeat(-(-side // 5), 2)[:, :side, :side]
    return (coarse * 0.8 + stream.integers(0, 50, coarse.shape)).astype(np.uint8)


def distort(name, images, severity, seed=0, **arguments):
    ids = [f"s{row}" for row in range(len(images))]
    return THREATS.load(name)(**arguments).distort(images, severity, generators(seed, name, ids))


@pytest.mark.parametrize("name", PUBLISHED_NAMES)
def test_constants_are_the_published_ones_and_follow_the_size_of_the_images(name):
    corruption = THREATS.load(name)
    for scale, values in PUBLISHED[name].items():
        side = SIZES[scale]
        for arguments, given in (({}, side), ({"scale": scale}, 1)):
            found = [corruption(**arguments).constant(severity, given, given) for severity in range(1, 6)]
            np.testing.assert_allclose(np.array(found, float), np.array(values, float), rtol=1e-12)
    assert corruption().constant(1, 64, 500) == corruption.constants["imagenet"][0]
    assert corruption().constant(1, 63, 500) == corruption.constants["cifar"][0]


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
    if (name, channels) == ("saturate", 1):
        assert damage == [0.0] * 5
        return
    assert damage[-1] > 0
    assert name in UNORDERED or damage == sorted(damage)
    assert name in TWO_KINDS or damage[-1] > damage[0]


# Fog of ImageNet's severity 3 is rougher than that of 2; pixelation of 20 pixels to 19 or 18 may fall either way; others move pixels by chance,
# or have constants of which some grow and some fall.
UNORDERED = (
    "pixelate",
    "resolution-loss",
    "frost",
    "fog",
    "glass-blur",
    "elastic-transform",
    "snow",
    "spatter",
    "saturate",
    "translation",
    "rotation",
    "path-motion",
    "occlusion",
)
TWO_KINDS = ("saturate", "spatter", "elastic-transform")  # drops then mud, pale then gaudy, far shifts then near ones


# Noise and colour are drawn per channel, JPEG and its successors store colour in another space, and a grey lens shows no colour.
COLOUR = (
    *("gaussian-noise", "shot-noise", "impulse-noise", "speckle-noise", "jpeg", "webp", "avif", "video-compression", "saturate", "frost"),
    *("spatter", "colour-cast", "low-light", "occlusion"),
)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in COLOUR])
def test_grey_images_are_treated_as_colour_images_of_equal_channels(name):
    grey = pixels(channels=1)
    apart = distort(name, grey.repeat(3, 3), 3)[..., :1].astype(int) - distort(name, grey, 3)
    assert np.abs(apart).max() <= (name == "snow")  # its weights of red, green and blue sum to one but for rounding


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
    assert np.abs(found - expected).max() <= 1 + 1e-3  # cut to whole levels


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


@pytest.mark.parametrize("name", DETERMINISTIC)
def test_what_is_not_random_is_what_imagecorruptions_makes_to_a_grey_level(name):
    images = crops(2)
    for severity in range(1, 6):
        assert agreement(images, ours(name, images, severity), theirs(name, images, severity)).levels <= 1


@pytest.mark.parametrize("name", [name for name in PUBLISHED_NAMES if name not in (*DETERMINISTIC, OTHER_CONSTANTS)])
def test_what_is_random_changes_images_as_imagecorruptions_does(name):
    images = crops(6 if name == "glass-blur" else 16)
    found = agreement(images, ours(name, images, 4), theirs(name, images, 4))
    # Five standard errors, and a little for those that have next to none.
    assert abs(found.mean) < 5 * found.mean_error + 0.5
    assert abs(found.variance) < 5 * found.variance_error + 0.5
    assert found.levels > 10  # they are not the same draws


def test_procedural_ice_has_the_mean_and_the_contrast_of_the_photographs():
    pictures = Photographs(small=False)
    read = np.stack([pictures.crop(224, 224, generator("test", row)) for row in range(200)])
    drawn = np.stack([procedural(224, 224, generator("test", row)) for row in range(200)])
    np.testing.assert_allclose(drawn.mean((0, 1, 2)), read.mean((0, 1, 2)), atol=8)
    np.testing.assert_allclose(drawn.std((1, 2)).mean(), read.std((1, 2)).mean(), rtol=0.15)
    np.testing.assert_allclose(drawn.mean((1, 2)).std(), read.mean((1, 2)).std(), rtol=0.3)


def test_published_frost_without_its_photographs_says_how_to_get_them(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=r"pip install --no-deps imagecorruptions.*texture: procedural"):
        distort("frost", pixels(1), 3, texture="published")


def test_shot_noise_draws_from_the_poisson_distribution():
    table = _Counts(5)
    numbers = np.random.default_rng(0).random(200_000, dtype=np.float32)
    for level in (0, 3, 100, 255):
        counts = table.counts(np.full(numbers.shape, level, np.uint8), numbers)
        np.testing.assert_array_equal(counts, poisson.ppf(numbers.astype(float), level / 255 * 5).clip(0))


def test_impulse_noise_loses_its_share_half_of_it_to_white():
    lost = distort("impulse-noise", np.full((4, 100, 100, 3), 128, np.uint8), 5)
    np.testing.assert_allclose([(lost == 0).mean(), (lost == 255).mean()], 0.27 / 2, rtol=0.03)
    assert ((lost == 0) | (lost == 128) | (lost == 255)).all()


def test_glass_moves_pixels_from_no_further_than_its_reach():
    places = np.arange(40 * 40).reshape(40, 40)
    moved = np.array(_shuffle(40, 40, 2, 1, generator("test"))).reshape(40, 40)
    down, right = np.divmod(moved, 40)
    rows, columns = np.divmod(places, 40)
    assert 0.5 < (moved != places).mean() < 1
    # Copies of copies: what was moved to the right or below before may be moved on, so only the first step is bounded.
    stayed = (slice(None), slice(0, 3)), (slice(0, 3), slice(None))
    assert all((moved[part] == places[part]).all() for part in stayed)
    assert np.abs(np.median(down - rows)) <= 2
    assert np.abs(np.median(right - columns)) <= 2


@pytest.mark.parametrize("name", ["brightness", "saturate"])
@pytest.mark.parametrize("severity", [2, 4])
def test_hue_and_what_else_is_kept_are_kept(name, severity):
    images = crops(1)[:, :40, :40]
    changed = distort(name, images, severity, scale="imagenet")
    value = images.max(axis=-1).astype(int)
    if name == "saturate":
        assert np.abs(changed.max(axis=-1) - value).max() <= 1
    else:
        np.testing.assert_allclose(changed.max(axis=-1), np.minimum(value + {2: 0.2, 4: 0.4}[severity] * 255, 255), atol=1)
    order = images.argmax(axis=-1)
    assert (np.take_along_axis(changed, order[..., None], -1)[..., 0] >= changed.max(axis=-1) - 1).all()


def test_a_rotation_there_and_back_is_nearly_the_identity():
    smooth = distort("gaussian-blur", pixels(1, side=64), 5)
    import cv2

    turned = distort("rotation", smooth, 3)[0]
    angles = []
    for angle in (-15, 15):
        matrix = cv2.getRotationMatrix2D((31.5, 31.5), angle, 1.0)
        back = cv2.warpAffine(turned, matrix, (64, 64))
        angles.append(np.abs(back[20:44, 20:44].astype(int) - smooth[0, 20:44, 20:44]).mean())
    assert min(angles) < 2 < max(angles)


def test_a_translation_has_its_length():
    step = np.zeros((20, 200, 200, 1), np.uint8)
    step[:, 100, 100] = 255
    moved = distort("translation", step, 4)[..., 0].astype(float)
    grid = np.arange(200)
    mass = moved.sum((1, 2))
    centres = np.stack([(moved.sum(2) * grid).sum(1) / mass, (moved.sum(1) * grid).sum(1) / mass], 1) - 100
    np.testing.assert_allclose(np.hypot(*centres.T), 0.15 * 200, atol=0.5)
    assert np.ptp(np.arctan2(*centres.T)) > 3


def test_occlusion_covers_the_share_that_it_says_and_leaves_the_rest():
    images = np.full((60, 100, 100, 3), 77, np.uint8)
    covered = (distort("occlusion", images, 2) != 77).any(axis=-1)
    np.testing.assert_allclose(covered.mean(), 0.25**2, rtol=0.1)
    dirty = distort("lens-dirt", images, 1)
    assert (dirty == 77).mean() > 0.5


def test_low_light_takes_light_away_and_brings_noise():
    images = np.full((1, 200, 200, 3), 128, np.uint8)
    medians, spreads = zip(
        *((np.median(found), found.std()) for found in (distort("low-light", images, severity) for severity in range(1, 6))), strict=True
    )
    expected = [((128 / 255) ** 2.2 * share**0.5) ** (1 / 2.2) * 255 for share in (0.4, 0.25, 0.15, 0.09, 0.05)]
    np.testing.assert_allclose(medians, expected, atol=1.5)
    assert min(spreads[1:]) > spreads[0] > 0


def test_a_colour_cast_moves_channels_against_each_other():
    tinted = distort("colour-cast", np.full((30, 4, 4, 3), 100, np.uint8), 3)[:, 0, 0].astype(float) / 100 - 1
    np.testing.assert_allclose(np.abs(tinted).max(axis=1), 0.26, atol=0.02)
    np.testing.assert_allclose(tinted.sum(axis=1), 0, atol=0.05)


@pytest.mark.parametrize("name", ["webp", "avif", "video-compression"])
def test_codecs_give_back_a_picture_of_the_same_thing(name):
    images = crops(1)[:, 50:150, 50:151]
    changed = distort(name, images, 3).astype(float)
    assert 1 < np.abs(changed - images).mean() < 25
    assert np.corrcoef(changed.ravel(), images.ravel())[0, 1] > 0.9


def test_path_motion_keeps_the_mean_and_resolution_loss_the_coarse_picture():
    images = pixels(3, side=70)
    assert np.abs(distort("path-motion", images, 5).mean((1, 2)) - images.mean((1, 2))).max() < 3
    coarse = distort("resolution-loss", images, 2)
    assert np.abs(coarse.mean((1, 2)) - images.mean((1, 2))).max() < 1
