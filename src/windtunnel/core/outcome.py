"""Outcome: what a threat did to each sample, at each level."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from windtunnel.core.attempt import Attempts
from windtunnel.core.canonical import fraction_text
from windtunnel.core.estimate import Estimate
from windtunnel.core.flag import Flag
from windtunnel.core.texts import Texts

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Cost:
    """What an evaluation spent, in sample-passes.

    Args:
        forward: samples sent forward through the victim, checks included.
        backward: samples whose gradient was computed.
        queries: forward passes of a black-box attack; 0 for others.
        seconds: wall-clock time; never part of a record.
    """

    forward: int = 0
    backward: int = 0
    queries: int = 0
    seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True, eq=False)
class Example:
    """A sample before and after a threat, for the eye.

    Args:
        id: sample id.
        level: level of the threat.
        label: true class index.
        before: predicted class index on the clean input.
        after: predicted class index on the perturbed input.
        pair: the two inputs: uint8 (2, height, width, channel), or two texts.
    """

    id: str
    level: Fraction
    label: int
    before: int
    after: int
    pair: Pixels | Texts


@dataclass(frozen=True, eq=False)
class Outcome:
    """Per-sample results of one threat on one victim.

    Args:
        ids: sample ids.
        labels: true class indices, (n,).
        levels: ascending levels of the threat (radius or severity).
        clean_predicted: predicted class on the unperturbed input, (n,).
        predicted: predicted class, (level, n).
        confidence: largest softmax probability, (level, n).
        distance: size of the change, (level, n): in the threat's norm (Linf where it has none), or in words.
        cost: passes and queries spent.
        flags: reasons for suspicion.
        examples: a few samples before and after.
        perturbed: inputs after the threat at the largest level, if kept: (n, channel, height, width), or `Texts`.
        attempts: how each attempt went, (level, n), of attacks that tell; empty for others.
        groups: the group of each sample, (n,), of threats that put them into groups; None for others.
    """

    ids: tuple[str, ...]
    labels: Ints
    levels: tuple[Fraction, ...]
    clean_predicted: Ints
    predicted: Ints
    confidence: Floats
    distance: Floats
    cost: Cost
    flags: tuple[Flag, ...] = ()
    examples: tuple[Example, ...] = ()
    perturbed: Any = field(default=None, repr=False)
    attempts: Attempts = ()
    groups: Ints | None = None

    @property
    def correct(self) -> Bools:
        """Whether each sample is still classified rightly, (level, n)."""
        verdict: Bools = self.predicted == self.labels
        return verdict

    @property
    def accuracies(self) -> dict[str, float]:
        """Accuracy at each level, by the level's text."""
        return {fraction_text(level): float(row.mean()) for level, row in zip(self.levels, self.correct, strict=True)}

    @property
    def accuracy(self) -> Estimate:
        """Accuracy at the largest level, with a 95 % Wilson interval over samples."""
        return wilson(int(self.correct[-1].sum()), len(self.ids))


def wilson(successes: float, n: float) -> Estimate:
    """A share with its 95 % Wilson score interval.

    Source:
        Wilson 1927, Journal of the American Statistical Association 22:209.
    """
    if n <= 0:
        raise ValueError("an interval needs at least one sample")
    z = 1.959963984540054  # the 97.5 % quantile of the normal distribution
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
    return Estimate(share, max(0.0, centre - half), min(1.0, centre + half), int(n))
