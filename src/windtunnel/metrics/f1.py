"""Macro-F1: the F1 score of each class, averaged with equal weight, so that rare classes count."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.estimate import Estimate
from windtunnel.core.metric import Metric
from windtunnel.core.outcome import Floats, Ints
from windtunnel.metrics.intervals import score_interval


@dataclass(frozen=True, kw_only=True, config=STRICT)
class MacroF1(Metric):
    """The unweighted mean of the classes' F1 scores.

    Classes that are neither among the labels nor among the predictions do not count. The interval takes the delta
    method's variance over samples and gives it Wilson's shape, so that it stays in [0, 1].

    Source:
        Takahashi et al. 2022, Applied Intelligence 52:4961, for the variance. Deviation: the shape of the interval.
    """

    use: ClassVar[str] = "macro-f1"

    def __call__(self, labels: Ints, predicted: Ints, confidence: Floats, classes: int) -> Estimate:
        """The macro-F1 of one cell at one level; see `Metric`."""
        n = len(labels)
        right = labels == predicted
        seen = (np.bincount(labels, minlength=classes) + np.bincount(predicted, minlength=classes)).astype(np.float64)
        hits = np.bincount(labels[right], minlength=classes).astype(np.float64)
        score = np.divide(2 * hits, seen, out=np.zeros_like(seen), where=seen > 0)
        present = int((seen > 0).sum())
        value = float(score.sum()) / present
        # How much each sample pulls the figure: the derivative of 2 hits / seen, for the classes that it touches.
        share = np.divide(1.0, seen, out=np.zeros_like(seen), where=seen > 0)
        pull = 2 * right * share[labels] - (score * share)[labels] - (score * share)[predicted]
        variance = n * float(pull.var(ddof=1)) / present**2 if n > 1 else 0.0
        worth = float(n)
        if 0 < value < 1 and variance > 0:
            worth = value * (1 - value) * n / (n - 1) / variance
        return Estimate(value, *score_interval(value, worth), n)
