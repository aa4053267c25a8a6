"""Swaps: other names and other numbers, the same one wherever the same one stood."""

from __future__ import annotations

import re
from typing import ClassVar, Final

import numpy as np
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.threats.text.edits import RARE, Edit, Edits, Span, pick
from windtunnel.threats.text.names import names, people

_NUMBER: Final = re.compile(r"(?<![0-9])[0-9]{1,15}(?![0-9])")
"""Longer ones are no quantities, and a uniform number of 53 bits could not choose among them."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Swaps(Edits):
    """Base of the perturbations that replace a thing by another one, in all its places alike."""

    percent: ClassVar[tuple[int, ...]] = RARE
    keeps_words: ClassVar[bool] = True
    keeps_ascii: ClassVar[bool] = True
    keeps_negations: ClassVar[bool] = True

    def changes(self, text: str, severity: int, draw: np.random.Generator) -> list[Edit]:
        """The edits of one severity, ascending; those of a lower one are among them."""
        places = self.places(text)
        things = list(dict.fromkeys(text[slice(*span)] for span in places))
        numbers = draw.random(len(things)).tolist()
        new = {things[row]: self.edit(things[row], numbers[row]) for row in self.chosen(len(things), severity, draw)}
        return [Edit(*span, new[text[slice(*span)]]) for span in places if text[slice(*span)] in new]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class NameSwaps(Swaps):
    """Names of people replaced by others: given names by given names, all others by surnames.

    A name is what is capitalised inside a sentence or stands in a list of frequent names; days, peoples and titles are none.

    Source:
        Ribeiro et al. 2020, arXiv 2005.04118, for the idea; the lists are ours.
    """

    use: ClassVar[str] = "name-swaps"
    unit: ClassVar[str] = "different names"
    keeps_digits: ClassVar[bool] = True

    def places(self, text: str) -> list[Span]:
        """Words that are likely names of people."""
        return people(text)

    def edit(self, piece: str, number: float) -> str:
        """Another name."""
        listed = names("given-names" if piece in names("given-names") else "surnames")
        return pick([name for name in listed if name != piece], number)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class NumberSwaps(Swaps):
    """Numbers replaced by others of as many digits.

    Source:
        Ribeiro et al. 2020, arXiv 2005.04118, for the idea.
    """

    use: ClassVar[str] = "number-swaps"
    unit: ClassVar[str] = "different numbers"
    keeps_digits: ClassVar[bool] = False

    def places(self, text: str) -> list[Span]:
        """Numbers of up to 15 digits."""
        return [found.span() for found in _NUMBER.finditer(text)]

    def edit(self, piece: str, number: float) -> str:
        """Another number of as many digits; zeros lead only where they led before."""
        least = 0 if piece[0] == "0" else 10 ** (len(piece) - 1)
        count = 10 ** len(piece) - least
        moved = (int(piece) - least + 1 + int(number * (count - 1))) % count
        return f"{least + moved:0{len(piece)}d}"
