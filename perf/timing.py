"""Interleaved repetitions of things to compare, and what may be said about them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


def _nothing() -> None:
    """A job that needs no preparation."""


@dataclass(frozen=True)
class Job:
    """One of the things to compare.

    Args:
        name: how results are told apart.
        work: what is timed; it is given what `prepare` returned.
        prepare: made anew for each repetition, outside the clock.
    """

    name: str
    work: Callable[[Any], object]
    prepare: Callable[[], Any] = _nothing


@dataclass(frozen=True)
class Times:
    """Seconds of one thing, one entry per repetition.

    Args:
        seconds: in the order of measurement.
    """

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle repetition."""
        return statistics.median(self.seconds)

    @property
    def low(self) -> float:
        """The fastest repetition."""
        return min(self.seconds)

    @property
    def high(self) -> float:
        """The slowest repetition."""
        return max(self.seconds)

    def scaled(self, factor: float) -> Times:
        """As if each repetition had done `factor` times the work."""
        return Times(tuple(seconds * factor for seconds in self.seconds))

    def __str__(self) -> str:
        return f"{_seconds(self.median)} ({_seconds(self.low)} to {_seconds(self.high)})"


@dataclass(frozen=True)
class Ratio:
    """How many times longer one thing takes than another.

    Args:
        medians: quotient of the medians; the figure that is quoted.
        minima: quotient of the fastest repetitions, which other work on the machine disturbs least.
        low, high: smallest and largest quotient within one round, whose repetitions ran next to each other.
    """

    medians: float
    minima: float
    low: float
    high: float


def ratio(first: Times, second: Times) -> Ratio:
    """`first` over `second`, measured in the same rounds.

    Raises:
        ValueError: they have different numbers of repetitions, so no rounds in common.
    """
    rounds = [one / other for one, other in zip(first.seconds, second.seconds, strict=True)]
    return Ratio(first.median / second.median, first.low / second.low, min(rounds), max(rounds))


def interleave(jobs: Sequence[Job], rounds: int, clock: Callable[[], float] = time.perf_counter) -> dict[str, Times]:
    """Run all jobs once unmeasured, then `rounds` times each: A B, B A, A B, ...

    A drift of the machine hits all jobs alike that way, and none is always the one that finds the caches warm.
    """
    for job in jobs:
        job.work(job.prepare())
    seconds: dict[str, list[float]] = {job.name: [] for job in jobs}
    for number in range(rounds):
        for job in jobs if number % 2 == 0 else reversed(jobs):
            given = job.prepare()
            started = clock()
            job.work(given)
            seconds[job.name].append(clock() - started)
    return {name: Times(tuple(times)) for name, times in seconds.items()}


def _seconds(value: float) -> str:
    return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"
