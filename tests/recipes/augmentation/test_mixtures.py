"""Mixup, CutMix and embedding mixup: what is mixed, how the loss follows, and what cannot be."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.augmenting import augmented, fitting, minibatch, pictures
from support.small import Tiny

from windtunnel.builtins import AUGMENTATIONS
from windtunnel.core.network import Network
from windtunnel.core.part import Minibatch
from windtunnel.errors import RecipeError
from windtunnel.recipes.augmentation.cutmix import rectangles
from windtunnel.recipes.supervised import Supervised

DATA = pictures(400, height=8, width=8)
BEFORE = minibatch(DATA)
NAMES = ("mixup", "cutmix", "embedding-mixup")


def partners(found: Minibatch, images: torch.Tensor) -> list[int]:
    """By brute force, who was mixed into each image."""
    weight = found.share.view(-1, 1, 1, 1)
    return [
        int((weight[row] * images[row] + (1 - weight[row]) * images - found.inputs[row]).abs().amax((1, 2, 3)).argmin()) for row in range(len(images))
    ]


def test_mixup_is_the_published_mean_of_two_images_and_their_labels():
    found = augmented("mixup", DATA, alpha=1.0)
    partner = partners(found, BEFORE.inputs)
    weight = found.share.view(-1, 1, 1, 1)
    torch.testing.assert_close(found.inputs, weight * BEFORE.inputs + (1 - weight) * BEFORE.inputs[partner], rtol=0, atol=1e-6)
    assert torch.equal(found.other, BEFORE.labels[partner])
    assert torch.equal(found.labels, BEFORE.labels)


@pytest.mark.parametrize("name", NAMES)
def test_partners_are_a_permutation_and_the_classes_of_the_minibatch_stay_as_often(name):
    found = augmented(name, DATA)
    assert torch.equal(found.other.bincount(), found.labels.bincount())
    assert not torch.equal(found.other, found.labels)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
@pytest.mark.parametrize("name", ["mixup", "embedding-mixup"])
def test_shares_are_beta_distributed(name, alpha):
    share = augmented(name, DATA, alpha=alpha).share
    assert float(share.mean()) == pytest.approx(0.5, abs=0.06)
    assert float(share.var()) == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.15), "the variance of Beta(alpha, alpha)"


def test_cutmix_pastes_one_rectangle_and_its_share_is_the_exact_area():
    found = augmented("cutmix", DATA)
    partner = list(range(len(DATA)))
    for row in range(60):
        image, own = found.inputs[row, 0], BEFORE.inputs[row, 0]
        foreign = image != own
        if foreign.any():
            matches = [other for other in range(len(DATA)) if torch.equal(BEFORE.inputs[other, 0][foreign], image[foreign])]
            assert matches, "what is foreign comes from one other image"
            partner[row] = matches[0]
            assert found.other[row] in BEFORE.labels[matches]
            rows, columns = foreign.nonzero().unbind(1)
            area = (int(rows.max() - rows.min()) + 1) * (int(columns.max() - columns.min()) + 1)
            assert area <= round((1 - float(found.share[row])) * 64) + 1e-6
            assert float(foreign.sum()) >= 0.9 * (1 - float(found.share[row])) * 64 - 1
    assert any(partner[row] != row for row in range(60))


def test_rectangles_have_the_published_size_and_are_cut_at_the_rim():
    share, centres = np.array([0.75, 0.75, 0.0, 1.0]), np.array([[0.5, 0.5], [0.0, 0.5], [0.5, 0.5], [0.5, 0.5]])
    found = rectangles(share, centres, 32, 32)
    assert found[0].sum() == 16 * 16, "half of either side for a quarter of the area"
    assert found[0][8:24, 8:24].all()
    assert found[1].sum() == 8 * 16, "half of it lies outside"
    assert found[2].all()
    assert not found[3].any()


def test_the_share_of_unmixed_samples_is_one_and_their_images_stay():
    for name in ("mixup", "cutmix"):
        found = augmented(name, DATA, p=0.3, alpha=1.0)
        alone = found.share == 1
        assert float(alone.float().mean()) == pytest.approx(0.7, abs=0.1)
        assert torch.equal(found.inputs[alone], BEFORE.inputs[alone])


def test_views_of_the_samples_are_mixed_like_them():
    given = minibatch(DATA)
    given = Minibatch(given.inputs, given.labels, given.ids, views=(given.inputs * 0.5,))
    for name in ("mixup", "cutmix"):
        found = AUGMENTATIONS.load(name)().begin(fitting(DATA)).augment(given)
        torch.testing.assert_close(found.views[0], found.inputs * 0.5)


def test_embedding_mixup_mixes_what_the_head_sees_of_samples_and_views():
    stage = fitting(pictures(6, height=8, width=8))
    stage.network = Network(Tiny().load(), 3)
    hooks = AUGMENTATIONS.load("embedding-mixup")(alpha=1.0).begin(stage)
    given = hooks.augment(minibatch(stage.train))
    given = Minibatch(given.inputs, given.labels, given.ids, views=(1 - given.inputs,), other=given.other, share=given.share, partner=given.partner)
    plain = stage.answer(given)
    stage.hooks = (hooks,)
    found = stage.answer(given)
    share = given.share[:, None]
    for before, after in ((plain, found), (plain.views[0], found.views[0])):
        torch.testing.assert_close(after.features, share * before.features + (1 - share) * before.features[given.partner])
        torch.testing.assert_close(after.logits, share * before.logits + (1 - share) * before.logits[given.partner])
    untouched = minibatch(stage.train)
    torch.testing.assert_close(stage.answer(untouched).logits, plain.logits)


def test_the_loss_of_mixed_samples_is_the_cross_entropy_with_mixed_labels(work):
    """One step of plain gradient descent on a minibatch of all samples, against the same step written out."""
    material = work()
    given = {"epochs": 1, "batch": 60, "lr": 0.1, "optimizer": "sgd", "schedule": "constant", "warmup": 0, "weight_decay": 0}
    done = Supervised(scope="head", augment={"use": "embedding-mixup", "alpha": 1.0}, **given).finetune(material)
    network = Network(Tiny().load(), 3, seed=0)
    stage = fitting(material.train)
    stage.stage = "head"
    from windtunnel.recipes.order import order

    rows = order(60, 60, 0, 1)[0]
    mixed = AUGMENTATIONS.load("embedding-mixup")(alpha=1.0).begin(stage).augment(minibatch(material.train, rows))
    features = network.features(mixed.inputs).detach()
    share = mixed.share[:, None]
    features = share * features + (1 - share) * features[mixed.partner]
    labels = share * torch.eye(3)[mixed.labels] + (1 - share) * torch.eye(3)[mixed.other]
    loss = -(labels * network.classify(features).log_softmax(1)).sum(1).mean()
    slope = torch.autograd.grad(loss, network.head.weight)[0]
    step = 0.1 * (1 + 0.9)  # Nesterov's first step goes by the gradient and by the momentum that it starts
    torch.testing.assert_close(done.last["head.weight"], network.head.weight.detach() - step * slope, rtol=0, atol=1e-6)


def test_two_mixtures_of_labels_are_refused():
    with pytest.raises(RecipeError, match="mixes by mixup and by cutmix; keep one"):
        Supervised(augment=["mixup", "flip", "cutmix"])


def test_parts_of_a_minibatch_that_is_mixed_inside_the_network_are_refused(work):
    with pytest.raises(RecipeError, match="accumulate: 1"):
        Supervised(augment="embedding-mixup", accumulate=2, epochs=1).finetune(work())
