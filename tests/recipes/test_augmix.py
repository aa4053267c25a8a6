"""AugMix: its operations against Pillow's, its draws, its loss."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from windtunnel.core.batch import Batch
from windtunnel.recipes import augmix
from windtunnel.seeding import generator

PIXELS = generator("augmix-test").integers(20, 230, (5, 16, 16)).astype(np.uint8)
IMAGES = torch.from_numpy(PIXELS).float().div(255).unsqueeze(1)
LEVEL = torch.full((5,), 2.0)


def batch(rows=range(5)) -> Batch:
    rows = list(rows)
    return Batch(IMAGES[rows], torch.zeros(len(rows), dtype=torch.long), tuple(f"s{row}" for row in rows))


def pillow(operation) -> np.ndarray:
    return np.stack([np.asarray(operation(Image.fromarray(image))) for image in PIXELS]).astype(float)


@pytest.mark.parametrize(
    ("ours", "theirs", "slack"),
    [
        (augmix.autocontrast, ImageOps.autocontrast, 1),
        (augmix.equalize, ImageOps.equalize, 0),
        (augmix.posterize, lambda image: ImageOps.posterize(image, 4), 0),
        (augmix.solarize, lambda image: ImageOps.solarize(image, 256 - 51), 0),
    ],
)
def test_pixel_operations_agree_with_pillow(ours, theirs, slack):
    found = ours(IMAGES, LEVEL).squeeze(1).mul(255).numpy()
    assert np.abs(found - pillow(theirs)).max() <= slack + 1e-3


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (augmix.rotate, lambda image: image.rotate(6, resample=Image.Resampling.BILINEAR)),
        (augmix.translate_x, lambda image: image.transform(image.size, Image.Transform.AFFINE, (1, 0, 1, 0, 1, 0), Image.Resampling.BILINEAR)),
        (augmix.translate_y, lambda image: image.transform(image.size, Image.Transform.AFFINE, (1, 0, 0, 0, 1, 1), Image.Resampling.BILINEAR)),
    ],
)
def test_geometric_operations_agree_with_pillow_inside_the_frame(ours, theirs):
    found = ours(IMAGES, LEVEL).squeeze(1).mul(255).numpy()
    inside = np.s_[:, 4:-4, 4:-4]
    assert np.abs(found[inside] - pillow(theirs)[inside]).max() < 4


def test_shears_keep_the_centre_and_move_the_rim():
    for operation, axis in ((augmix.shear_x, 3), (augmix.shear_y, 2)):
        line = torch.zeros(1, 1, 33, 33)
        line.select(axis, 16).fill_(1.0)
        moved = operation(line, torch.tensor([3.0]))
        assert float(moved[0, 0, 16, 16]) == pytest.approx(1.0, abs=1e-5)
        assert float(moved.select(axis, 16).min()) < 0.1


def test_views_are_keyed_by_sample_epoch_and_seed_and_stay_in_range():
    first, second = augmix.views(batch(), 0, 1)
    assert not torch.equal(first, second)
    for changed in (first, second):
        assert float(changed.min()) >= 0
        assert float(changed.max()) <= 1
        assert not torch.equal(changed, IMAGES)
    alone, _ = augmix.views(batch([3]), 0, 1)
    torch.testing.assert_close(alone[0], first[3], rtol=0, atol=1e-6)
    assert not torch.equal(augmix.views(batch(), 0, 2)[0], first)
    assert not torch.equal(augmix.views(batch(), 1, 1)[0], first)


def test_the_consistency_loss_is_cross_entropy_plus_twelve_jensen_shannon_divergences():
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(256, 4))
    first, second = augmix.views(batch(), 0, 1)
    found = float(augmix.consistency_loss(network, batch(), first, second).detach())
    plain = float(torch.nn.functional.cross_entropy(network(IMAGES), batch().labels).detach())
    three = [network(images).softmax(1).detach().double().numpy() for images in (IMAGES, first, second)]
    middle = sum(three) / 3
    divergence = np.mean([sum((p[row] * np.log(p[row] / middle[row])).sum() for p in three) / 3 for row in range(5)])
    assert found == pytest.approx(plain + 12 * divergence, rel=1e-4)
    same = float(augmix.consistency_loss(network, batch(), IMAGES, IMAGES).detach())
    assert same == pytest.approx(plain, rel=1e-5)
