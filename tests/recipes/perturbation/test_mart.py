"""MART: its loss."""

from __future__ import annotations

import torch
from support.composing import agree, equal, gradient, slopes, trained
from torch.nn.functional import cross_entropy

FGSM = {"use": "fgsm", "eps": "24/255"}


def signed(network, images, labels):
    """FGSM by hand, on the network in evaluation mode."""
    network.eval()
    points = images.clone().requires_grad_()
    slope = torch.autograd.grad(cross_entropy(network(points), labels), points)[0]
    network.train()
    return (images + 24 / 255 * slope.sign()).clamp(0, 1)


def published(weight):
    def loss(network, images, labels):
        perturbed = network(signed(network, images, labels)).softmax(1)
        clean = network(images).softmax(1)
        rows = torch.arange(len(labels))
        others = perturbed.clone()
        others[rows, labels] = 0
        boosted = -perturbed[rows, labels].log() - (1.0001 - others.max(1).values).log()
        apart = (clean * (clean.log() - perturbed.log())).sum(1)
        return (boosted + weight * apart * (1 - clean[rows, labels])).mean()

    return loss


def test_a_step_follows_the_published_loss():
    agree(slopes("mart", perturb={"threat": FGSM, "weight": 5}), gradient(published(5)))


def test_neither_half_is_idle():
    whole = slopes("mart", perturb={"threat": FGSM, "weight": 5})
    unweighted = slopes("mart", perturb={"threat": FGSM, "weight": 0})
    agree(unweighted, gradient(published(0)))
    plain = slopes("pgd-at", perturb={"use": "adversarial", "threat": FGSM})
    assert float((whole["head.weight"] - unweighted["head.weight"]).abs().max()) > 1e-4
    assert float((plain["head.weight"] - unweighted["head.weight"]).abs().max()) > 1e-4


def test_the_weight_decides_between_trainings():
    one, other = (trained("mart", perturb={"threat": FGSM, "weight": weight}, epochs=1) for weight in (1, 5))
    assert not equal(one.last, other.last)
