"""Accuracy: the share of samples classified rightly."""

from __future__ import annotations

from typing import ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.estimate import Estimate
from windtunnel.core.metric import Metric
from windtunnel.core.outcome import Floats, Ints, wilson


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Accuracy(Metric):
    """The share of samples classified rightly, with Wilson's score interval."""

    use: ClassVar[str] = "accuracy"

    def __call__(self, labels: Ints, predicted: Ints, confidence: Floats, classes: int) -> Estimate:
        """The accuracy of one cell at one level; see `Metric`."""
        return wilson(int((labels == predicted).sum()), len(labels))
