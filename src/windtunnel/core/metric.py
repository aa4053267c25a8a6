"""Metric: per-sample outcomes of one cell and level to an Estimate."""

from __future__ import annotations

from abc import ABC, abstractmethod

from windtunnel.core.configured import Configured
from windtunnel.core.estimate import Estimate
from windtunnel.core.outcome import Floats, Ints


class Metric(Configured, ABC):
    """A figure over the samples of one cell at one level."""

    higher_is_better: bool = True

    @abstractmethod
    def __call__(self, labels: Ints, predicted: Ints, confidence: Floats, classes: int) -> Estimate:
        """The metric with its 95 % interval over samples.

        Args:
            labels, predicted: class indices, (n,).
            confidence: largest softmax probability, (n,).
            classes: number of classes.
        """
