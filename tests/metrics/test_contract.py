"""What holds of every metric in the table."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from windtunnel.builtins import METRICS
from windtunnel.seeding import generator


@pytest.fixture(params=sorted(METRICS))
def metric(request):
    found = METRICS.load(request.param)()
    assert found.use == request.param
    return found


def outcomes(n=300, share=0.8, key=0):
    draw = generator("outcomes", key)
    labels = draw.integers(0, 10, n)
    predicted = np.where(draw.random(n) < share, labels, (labels + 1) % 10)
    return labels, predicted, draw.random(n)


def test_a_metric_lies_in_its_interval(metric):
    for key in range(5):
        found = metric(*outcomes(key=key), 10)
        assert 0 <= found.low <= found.value <= found.high <= 1
        assert found.low < found.high
        assert found.n == 300


def test_a_metric_gives_the_same_answer_twice(metric):
    assert metric(*outcomes(), 10) == metric(*outcomes(), 10)


def test_a_metric_does_not_depend_on_the_order_of_the_samples(metric):
    labels, predicted, confidence = outcomes()
    moved = generator("order").permutation(len(labels))
    assert metric(labels[moved], predicted[moved], confidence[moved], 10).value == pytest.approx(metric(labels, predicted, confidence, 10).value)


def test_more_samples_narrow_the_interval(metric):
    few, many = metric(*outcomes(n=200), 10), metric(*outcomes(n=5000), 10)
    assert many.high - many.low < 0.5 * (few.high - few.low)


def test_one_sample_is_enough(metric):
    found = metric(np.array([3]), np.array([3]), np.array([0.9]), 10)
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_a_metric_has_no_unknown_arguments(metric):
    with pytest.raises(ValidationError, match="unexpected_keyword_argument"):
        type(metric)(anything=1)


def test_perfect_and_hopeless_answers_are_the_ends_of_accuracy_and_f1():
    labels = np.arange(100) % 10
    sure = np.ones(100)
    for name in ("accuracy", "macro-f1"):
        metric = METRICS.load(name)()
        assert metric.higher_is_better
        assert metric(labels, labels, sure, 10).value == 1.0
        assert metric(labels, (labels + 1) % 10, sure, 10).value == 0.0
        assert 0.95 < metric(labels, labels, sure, 10).low < 1.0
