"""The supervised contrastive loss against its definition, written out sample by sample."""

from __future__ import annotations

import math

import pytest
import torch
from support.composed import answered, fitting
from torch.nn.functional import cross_entropy

from windtunnel.recipes.losses.contrastive import SupervisedContrastive
from windtunnel.seeding import generator

FEATURES = torch.from_numpy(generator("contrast").standard_normal((7, 5))).float()
LABELS = [0, 1, 0, 2, 1, 0, 1]  # 2 occurs once
LOGITS = torch.from_numpy(generator("logits").standard_normal((7, 3))).float()


def term(row: int, features: list[list[float]], labels: list[int], temperature: float) -> float:
    """One sample's term of equation 3."""
    unit = [[value / math.hypot(*one) for value in one] for one in features]
    similar = [math.exp(sum(a * b for a, b in zip(unit[row], other, strict=True)) / temperature) for other in unit]
    alike = [other for other in range(len(labels)) if other != row and labels[other] == labels[row]]
    rest = sum(value for place, value in enumerate(similar) if place != row)
    return -sum(math.log(similar[other] / rest) for other in alike) / len(alike) if alike else 0.0


@pytest.mark.parametrize(("weight", "temperature"), [(0.9, 0.3), (1.0, 0.1), (0.3, 0.7)])
def test_the_loss_is_cross_entropy_and_contrast_by_weight(weight, temperature):
    part = SupervisedContrastive(weight=weight, temperature=temperature)
    found = part.begin(fitting())(*answered(LOGITS, LABELS, FEATURES))
    contrast = torch.tensor([term(row, FEATURES.tolist(), LABELS, temperature) for row in range(7)])
    torch.testing.assert_close(found, (1 - weight) * cross_entropy(LOGITS, torch.tensor(LABELS), reduction="none") + weight * contrast)


def test_the_length_of_features_does_not_count():
    part = SupervisedContrastive()
    lengths = torch.arange(1.0, 8)[:, None]
    torch.testing.assert_close(part.contrast(FEATURES, torch.tensor(LABELS)), part.contrast(FEATURES * lengths, torch.tensor(LABELS)))


@pytest.mark.parametrize("labels", [[0], [0, 1, 2]])
def test_samples_without_another_of_their_class_have_no_term_and_no_gradient(labels):
    features = FEATURES[: len(labels)].clone().requires_grad_()
    found = SupervisedContrastive().contrast(features, torch.tensor(labels))
    assert not found.any()
    found.sum().backward()
    assert not features.grad.any()


def test_following_its_gradient_gathers_classes_and_parts_them():
    features = FEATURES.clone().requires_grad_()
    optimizer = torch.optim.SGD([features], lr=0.5)
    for _ in range(200):
        optimizer.zero_grad()
        SupervisedContrastive().contrast(features, torch.tensor(LABELS)).mean().backward()
        optimizer.step()
    unit = torch.nn.functional.normalize(features.detach(), dim=1)
    similar = unit @ unit.T
    alike = torch.tensor(LABELS)[:, None] == torch.tensor(LABELS)
    assert float(similar[alike].min()) > float(similar[~alike].max()) + 0.5
