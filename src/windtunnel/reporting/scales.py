"""Scales: from values to places in a drawing, with round numbers for ticks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """A linear map from a range of values to a range of places; either may run backwards.

    Args:
        low, high: values.
        start, stop: where they are drawn, in units of the drawing.
    """

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        """Where a value is drawn; a value outside the range at its end."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(self.start + min(1.0, max(0.0, share)) * (self.stop - self.start), 1)


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis."""

    at: float
    text: str


def round_numbers(low: float, high: float, wanted: int = 5) -> tuple[float, ...]:
    """Round numbers from at or below `low` to at or above `high`, about `wanted` of them."""
    span = max(high - low, 1e-9)
    rough = span / max(1, wanted - 1)
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return tuple(round(step * place, 10) for place in range(first, last + 1))


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places near the wanted ones, at least `gap` apart and within the range as far as it suffices.

    Neighbours that collide are merged into a block centred where its members wanted to be.
    """
    order = sorted(range(len(wanted)), key=lambda index: (wanted[index], index))
    gap = min(gap, (high - low) / max(1, len(wanted) - 1)) if len(wanted) > 1 else gap
    blocks: list[tuple[float, list[int]]] = []
    for index in order:
        place, members = wanted[index], [index]
        while blocks and place - gap * (len(members) - 1) / 2 < blocks[-1][0] + gap * (len(blocks[-1][1]) - 1) / 2 + gap:
            earlier = blocks.pop()[1]
            members = earlier + members
            place = sum(wanted[member] for member in members) / len(members)
        blocks.append((place, members))
    places = [0.0] * len(wanted)
    bottom = low
    for number, (place, members) in enumerate(blocks):
        half = gap * (len(members) - 1) / 2
        later = sum(len(block[1]) for block in blocks[number + 1 :])
        start = max(bottom, min(place - half, high - gap * (len(members) + later - 1)))
        for offset, member in enumerate(members):
            places[member] = round(start + gap * offset, 1)
        bottom = start + gap * len(members)
    return places
