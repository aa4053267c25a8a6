"""Slips of the fingers: neighbouring keys, and letters swapped, left out or repeated."""

from __future__ import annotations

import re
from string import ascii_letters
from typing import ClassVar, Final, Literal

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.threats.text.edits import LETTERS, WORDS, Edits, Span, characters, pick
from windtunnel.threats.text.keyboard import neighbours
from windtunnel.threats.text.vocabulary import LONG_WORD, WORD

_UNMARKED: Final = re.compile(r"[^\W\d_]+(?![\u0300-\u036f])")
"""A word without the letter that a combining mark stands on, which would be torn off."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class KeyboardTypos(Edits):
    """Letters typed on a neighbouring key.

    Args:
        layout: of the keyboard.
    Source:
        Belinkov and Bisk 2018, arXiv 1711.02173, section 4.2, for the idea; neighbours are those on a staggered keyboard, see
        `keyboard.neighbours`.
    """

    use: ClassVar[str] = "keyboard-typos"
    unit: ClassVar[str] = "letters"
    percent: ClassVar[tuple[int, ...]] = LETTERS
    keeps_digits: ClassVar[bool] = True
    keeps_words: ClassVar[bool] = True
    keeps_ascii: ClassVar[bool] = True
    keeps_negations: ClassVar[bool] = False

    layout: Literal["qwerty", "qwertz", "azerty"] = "qwerty"

    def places(self, text: str) -> list[Span]:
        """Letters from a to z."""
        return characters(text, ascii_letters)

    def edit(self, piece: str, number: float) -> str:
        """A neighbour in the same case."""
        typed = pick(neighbours(self.layout)[piece.lower()], number)
        return typed.upper() if piece.isupper() else typed


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LetterSwaps(Edits):
    """Two neighbouring letters inside a word, swapped; the first and the last letter stay.

    Source:
        Pruthi et al. 2019, arXiv 1905.11268, section 3.
    """

    use: ClassVar[str] = "letter-swaps"
    unit: ClassVar[str] = "words of four letters or more"
    percent: ClassVar[tuple[int, ...]] = WORDS
    keeps_digits: ClassVar[bool] = True
    keeps_words: ClassVar[bool] = True
    keeps_ascii: ClassVar[bool] = True
    keeps_negations: ClassVar[bool] = False

    def places(self, text: str) -> list[Span]:
        """Words with two unlike letters next to each other inside."""
        return [found.span() for found in LONG_WORD.finditer(text) if len(set(found[0][1:-1])) > 1]

    def edit(self, piece: str, number: float) -> str:
        """One pair swapped."""
        pairs = [place for place in range(1, len(piece) - 2) if piece[place] != piece[place + 1]]
        place = pairs[int(number * len(pairs))]
        return piece[:place] + piece[place + 1] + piece[place] + piece[place + 2 :]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LetterDeletions(Edits):
    """Letters inside words, left out; the first and the last letter stay.

    Source:
        Pruthi et al. 2019, arXiv 1905.11268, section 3.
    """

    use: ClassVar[str] = "letter-deletions"
    unit: ClassVar[str] = "letters inside words"
    percent: ClassVar[tuple[int, ...]] = LETTERS
    keeps_digits: ClassVar[bool] = True
    keeps_words: ClassVar[bool] = True
    keeps_ascii: ClassVar[bool] = True
    keeps_negations: ClassVar[bool] = False

    def places(self, text: str) -> list[Span]:
        """Letters between letters."""
        return [(place, place + 1) for found in WORD.finditer(text) for place in range(found.start() + 1, found.end() - 1)]

    def edit(self, piece: str, number: float) -> str:
        """Nothing."""
        return ""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LetterRepeats(Edits):
    """Letters typed twice or three times.

    Source:
        Ours.
    """

    use: ClassVar[str] = "letter-repeats"
    unit: ClassVar[str] = "letters after the first of a word"
    percent: ClassVar[tuple[int, ...]] = LETTERS
    keeps_digits: ClassVar[bool] = True
    keeps_words: ClassVar[bool] = True
    keeps_ascii: ClassVar[bool] = True
    keeps_negations: ClassVar[bool] = False

    def places(self, text: str) -> list[Span]:
        """Letters after a letter."""
        return [(place, place + 1) for found in _UNMARKED.finditer(text) for place in range(found.start() + 1, found.end())]

    def edit(self, piece: str, number: float) -> str:
        """Two of them or three."""
        return piece * (2 + int(number * 2))
