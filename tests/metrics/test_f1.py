"""Macro-F1 against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from windtunnel.metrics.f1 import MacroF1
from windtunnel.seeding import generator

SURE = np.ones(400)


@pytest.mark.parametrize("classes", [2, 5, 10])
def test_it_is_scikit_learns(classes):
    draw = generator("f1", classes)
    labels = draw.integers(0, classes, 400)
    predicted = np.where(draw.random(400) < 0.7, labels, draw.integers(0, classes, 400))
    assert MacroF1()(labels, predicted, SURE, classes).value == pytest.approx(f1_score(labels, predicted, average="macro"))


def test_classes_that_nobody_named_do_not_count():
    labels, predicted = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 0])
    assert MacroF1()(labels, predicted, np.ones(4), 50).value == pytest.approx(f1_score(labels, predicted, average="macro"))


def test_the_interval_is_about_the_bootstraps():
    draw = generator("f1-bootstrap")
    labels = draw.integers(0, 6, 400)
    predicted = np.where(draw.random(400) < 0.75, labels, draw.integers(0, 6, 400))
    rows = draw.integers(0, 400, (300, 400))
    low, high = np.quantile([f1_score(labels[row], predicted[row], average="macro") for row in rows], [0.025, 0.975])
    found = MacroF1()(labels, predicted, SURE, 6)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.015)
