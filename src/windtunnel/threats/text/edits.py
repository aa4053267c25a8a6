"""Edits: perturbations that replace pieces of a text, more of them at a higher severity, the earlier ones always included."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Container, Sequence
from typing import ClassVar, NamedTuple, TypeVar

import numpy as np
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.threats.text.perturbation import Perturbation

T = TypeVar("T")

Span = tuple[int, int]
"""Where a piece of a text starts and stops."""

LETTERS = (2, 5, 10, 15, 20)
"""Per cent of the places at each severity where a place is a letter; ours."""

WORDS = (5, 10, 20, 35, 50)
"""Per cent of the places at each severity where a place is a word or a gap between words; ours."""

RARE = (20, 40, 60, 80, 100)
"""Per cent of the places at each severity where few pieces of a text are places at all; ours."""


class Edit(NamedTuple):
    """One piece of a text and what stands there afterwards.

    Args:
        start, stop: where the piece is; equal where something is inserted.
        new: its replacement; empty where something is deleted.
    """

    start: int
    stop: int
    new: str


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Edits(Perturbation):
    """Base of the perturbations that change places independently of each other; a concrete one writes `places` and `edit`.

    The places are ranked by the draw, and a severity changes the first `percent` of them, rounded up. So each text with a place
    changes at severity 1, and what a severity changes is changed in the same way at every higher one.
    """

    percent: ClassVar[tuple[int, ...]]

    @abstractmethod
    def places(self, text: str) -> list[Span]:
        """Pieces that may be changed, ascending and without overlap."""

    @abstractmethod
    def edit(self, piece: str, number: float) -> str:
        """What replaces a piece; never the piece itself.

        Args:
            number: uniform in [0, 1), the place's own.
        """

    def changes(self, text: str, severity: int, draw: np.random.Generator) -> list[Edit]:
        """The edits of one severity, ascending; those of a lower one are among them."""
        places = self.places(text)
        numbers = draw.random(len(places)).tolist()
        edits = []
        for row in self.chosen(len(places), severity, draw):
            start, stop = places[row]
            edits.append(Edit(start, stop, self.edit(text[start:stop], numbers[row])))
        return edits

    def chosen(self, count: int, severity: int, draw: np.random.Generator) -> list[int]:
        """Which of `count` places one severity changes, ascending."""
        order = draw.permutation(count)
        rows: list[int] = np.sort(order[: -(-self.percent[severity - 1] * count // 100)]).tolist()
        return rows

    def rewrite(self, text: str, severity: int, draw: np.random.Generator) -> str:
        """The text with its edits made."""
        return edited(text, self.changes(text, severity, draw))


def edited(text: str, edits: Sequence[Edit]) -> str:
    """A text after edits that are ascending and do not overlap."""
    parts, last = [], 0
    for start, stop, new in edits:
        parts += [text[last:start], new]
        last = stop
    return "".join([*parts, text[last:]])


def characters(text: str, table: Container[str]) -> list[Span]:
    """The characters of a text that are in a table."""
    return [(place, place + 1) for place, character in enumerate(text) if character in table]


def pick(choices: Sequence[T], number: float) -> T:
    """One of several, by a uniform number in [0, 1)."""
    return choices[int(number * len(choices))]
