"""Calibration: does a confidence of 80 % mean being right four times in five?"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.estimate import Estimate
from windtunnel.core.metric import Metric
from windtunnel.core.outcome import Floats, Ints
from windtunnel.metrics.bootstrap import resamples

BINS = 15
"""Equal-width bins, as in the source."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ExpectedCalibrationError(Metric):
    """The mean gap between confidence and accuracy over 15 equal-width bins, weighted by their samples.

    The interval is the basic bootstrap's: resampling adds to the error, and reflecting at the estimate takes that off.

    Source:
        Guo et al. 2017, arXiv 1706.04599, equation 3. A bin contains its upper edge, and zero belongs to the first.
    """

    use: ClassVar[str] = "ece"
    higher_is_better = False

    def __call__(self, labels: Ints, predicted: Ints, confidence: Floats, classes: int) -> Estimate:
        """The calibration error of one cell at one level; see `Metric`."""
        gap = (labels == predicted).astype(np.float64) - confidence
        place = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
        value = float(_errors(gap, place, np.arange(len(gap))[None, :])[0])
        draws = [_errors(gap, place, piece) for piece in resamples(self.use, len(gap), BINS)]
        lower, upper = np.quantile(np.concatenate(draws), [0.025, 0.975]).tolist()
        low, high = max(0.0, 2 * value - upper), min(1.0, 2 * value - lower)
        return Estimate(value, min(low, value), max(high, value), len(gap))


def _errors(gap: Floats, place: Ints, rows: Ints) -> Floats:
    """The error of each draw: a bin's samples times its mean gap is the sum of its gaps."""
    cells = (place[rows] + np.arange(len(rows))[:, None] * BINS).ravel()
    sums = np.bincount(cells, weights=gap[rows].ravel(), minlength=len(rows) * BINS).reshape(len(rows), BINS)
    errors: Floats = np.abs(sums).sum(1) / rows.shape[1]
    return errors
