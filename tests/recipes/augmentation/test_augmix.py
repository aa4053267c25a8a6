"""AugMix: its operations against Pillow's, its draws, its loss."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from support.augmenting import augmented, fitting, minibatch, pictures

from windtunnel.core.part import Answer
from windtunnel.recipes.augmentation.augmix import AugMix
from windtunnel.recipes.augmentation.mixtures import draws, numbers
from windtunnel.recipes.augmentation.tables import AUGMIX, applied
from windtunnel.recipes.supervised import Supervised
from windtunnel.seeding import generator

NAMES = [(entry.move or entry.change).__name__ for entry in AUGMIX]
PIXELS = generator("augmix-test").integers(20, 230, (5, 16, 16)).astype(np.uint8)
IMAGES = torch.from_numpy(PIXELS).float().div(255).unsqueeze(1)
PICTURES = pictures()
LEVEL = 0.2


def operated(name: str) -> np.ndarray:
    """In 8-bit levels."""
    chosen = np.full(len(IMAGES), NAMES.index(name))
    return applied(IMAGES, AUGMIX, chosen, np.full(len(IMAGES), LEVEL), "bilinear").squeeze(1).mul(255).numpy()


def pillow(operation) -> np.ndarray:
    return np.stack([np.asarray(operation(Image.fromarray(image))) for image in PIXELS]).astype(float)


def affine(*numbers_: float):
    return lambda image: image.transform(image.size, Image.Transform.AFFINE, numbers_, Image.Resampling.BILINEAR)


@pytest.mark.parametrize(
    ("ours", "theirs", "slack"),
    [
        ("autocontrast", ImageOps.autocontrast, 1),
        ("equalize", ImageOps.equalize, 0),
        ("posterize", lambda image: ImageOps.posterize(image, 4), 0),
        ("solarize", lambda image: ImageOps.solarize(image, 256 - 51), 0),
    ],
)
def test_pixel_operations_agree_with_pillow(ours, theirs, slack):
    assert np.abs(operated(ours) - pillow(theirs)).max() <= slack + 1e-3


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("rotation", lambda image: image.rotate(6, resample=Image.Resampling.BILINEAR)),
        ("shear_x", affine(1, 0.06, 0, 0, 1, 0)),
        ("shear_y", affine(1, 0, 0, 0.06, 1, 0)),
        ("translation_x", affine(1, 0, 1, 0, 1, 0)),
        ("translation_y", affine(1, 0, 0, 0, 1, 1)),
    ],
)
def test_geometric_operations_agree_with_pillow_inside_the_frame(ours, theirs):
    inside = np.s_[:, 2:-2, 2:-2]
    assert np.abs(operated(ours)[inside] - pillow(theirs)[inside]).max() < 4


def test_views_are_keyed_by_sample_epoch_and_seed_and_stay_in_range():
    whole = augmented("augmix", PICTURES)
    assert torch.equal(whole.inputs, minibatch(PICTURES).inputs), "the clean images stay beside the views"
    first, second = whole.views
    assert not torch.equal(first, second)
    for changed in (first, second):
        assert float(changed.min()) >= 0
        assert float(changed.max()) <= 1
        assert not torch.equal(changed, whole.inputs)
    alone = augmented("augmix", PICTURES, [3]).views[0]
    torch.testing.assert_close(alone[0], first[3], rtol=0, atol=1e-6)
    assert not torch.equal(augmented("augmix", PICTURES, epoch=2).views[0], first)
    assert not torch.equal(augmented("augmix", PICTURES, seed=1).views[0], first)


def test_mixing_weights_are_dirichlet_and_the_clean_share_is_beta():
    settings = AugMix(alpha=1.0)
    drawn = generator("draws").random((4000, numbers(settings)))
    found = draws(drawn[None], settings)
    np.testing.assert_allclose(found.weights.sum(-1), 1)
    assert found.weights.mean() == pytest.approx(1 / 3)
    assert found.weights[..., 0].var() == pytest.approx(1 / 18, rel=0.1), "that of Dirichlet(1, 1, 1)"
    assert found.share.var() == pytest.approx(1 / 12, rel=0.1), "that of Beta(1, 1)"
    assert set(np.unique(found.depth)) == {1, 2, 3}
    assert set(np.unique(found.operation)) == set(range(9))
    assert np.abs(found.level).min() >= 0.1
    assert np.abs(found.level).max() <= 3


def test_the_loss_is_cross_entropy_plus_twelve_jensen_shannon_divergences():
    weights, settings = torch.from_numpy(generator("weights").standard_normal((256, 4))).float(), AugMix()

    def network(images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1) @ weights

    stage = fitting(PICTURES)
    hooks = settings.begin(stage)
    views = hooks.augment(minibatch(PICTURES))

    def answer(*images: torch.Tensor) -> Answer:
        first, *others = (Answer(network(each), each) for each in images)
        return Answer(first.logits, first.features, tuple(others))

    found = float(hooks.penalty(views, answer(views.inputs, *views.views)).detach())
    three = [network(images).softmax(1).double().numpy() for images in (views.inputs, *views.views)]
    middle = sum(three) / 3
    divergence = np.mean([sum((p[row] * np.log(p[row] / middle[row])).sum() for p in three) / 3 for row in range(len(middle))])
    assert found == pytest.approx(12 * divergence, rel=1e-4)
    assert float(hooks.penalty(views, answer(views.inputs, views.inputs, views.inputs)).detach()) == pytest.approx(0, abs=1e-6)


def test_the_divergence_reaches_the_network(work):
    def trained(**given):
        return Supervised(epochs=2, batch=16, **given).finetune(work()).last

    plain, idle, consistent = trained(), trained(augment={"use": "augmix", "consistency": 0}), trained(augment="augmix")
    assert plain.keys() == consistent.keys()
    assert any(not torch.equal(idle[name], consistent[name]) for name in idle)
    assert any(not torch.equal(plain[name], consistent[name]) for name in plain)
