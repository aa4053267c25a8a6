"""Estimate: a number is never shown without its interval and its n."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A measured quantity.

    Args:
        value: the estimate, in the unit of the metric (accuracies in [0, 1]).
        low: lower end of its 95 % interval.
        high: upper end of its 95 % interval.
        n: number of distinct samples behind it.
        seeds: the training seeds averaged over; empty where there is no training seed.
    """

    value: float
    low: float
    high: float
    n: int
    seeds: tuple[int, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Plain data for JSON."""
        return {"value": self.value, "low": self.low, "high": self.high, "n": self.n, "seeds": list(self.seeds)}
