"""Schedules that minimum-norm searches share."""

from __future__ import annotations

import math


def cosine(step: int, steps: int, first: float, last: float) -> float:
    """From `first` to `last` along half a cosine; `step` counts from 0."""
    return last + (first - last) * (1 + math.cos(math.pi * step / max(steps - 1, 1))) / 2
