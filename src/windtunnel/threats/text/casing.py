"""Casing: capitals where none belong, and none where they do."""

from __future__ import annotations

import re
from typing import ClassVar, Final

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.threats.text.edits import RARE, WORDS, Edits, Span
from windtunnel.threats.text.names import capitalised
from windtunnel.threats.text.vocabulary import APOSTROPHES, WORD

_WORD: Final = re.compile(rf"{WORD.pattern}(?:[{APOSTROPHES}]{WORD.pattern})*")
"""A word with what is contracted with it."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Casing(Edits):
    """Base of the perturbations that change nothing but the case of letters."""

    keeps_digits: ClassVar[bool] = True
    keeps_words: ClassVar[bool] = True
    keeps_ascii: ClassVar[bool] = True
    keeps_negations: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True, config=STRICT)
class UpperCase(Casing):
    """Words in capitals.

    Source:
        Ours.
    """

    use: ClassVar[str] = "upper-case"
    unit: ClassVar[str] = "words with small letters"
    percent: ClassVar[tuple[int, ...]] = RARE

    def places(self, text: str) -> list[Span]:
        """Words that are not in capitals."""
        return [found.span() for found in _WORD.finditer(text) if found[0].upper() != found[0]]

    def edit(self, piece: str, number: float) -> str:
        """The word in capitals."""
        return piece.upper()


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LowerCase(Casing):
    """Words without their capitals.

    Source:
        Ours.
    """

    use: ClassVar[str] = "lower-case"
    unit: ClassVar[str] = "words with capitals"
    percent: ClassVar[tuple[int, ...]] = RARE

    def places(self, text: str) -> list[Span]:
        """Words with capitals."""
        return [found.span() for found in _WORD.finditer(text) if found[0].lower() != found[0]]

    def edit(self, piece: str, number: float) -> str:
        """The word in small letters."""
        return piece.lower()


@dataclass(frozen=True, kw_only=True, config=STRICT)
class RandomCase(Casing):
    """Letters in the other case.

    Source:
        Ours.
    """

    use: ClassVar[str] = "random-case"
    unit: ClassVar[str] = "letters"
    percent: ClassVar[tuple[int, ...]] = WORDS

    def places(self, text: str) -> list[Span]:
        """Letters that have another case."""
        return [(place, place + 1) for place, character in enumerate(text) if character.isalpha() and character.swapcase() != character]

    def edit(self, piece: str, number: float) -> str:
        """The letter in its other case."""
        return piece.swapcase()


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LowerCaseNames(Casing):
    """Names without their capitals, as in hasty messages.

    A name is what is capitalised inside a sentence; the first word of one may be any word and keeps its capital.

    Source:
        Ours.
    """

    use: ClassVar[str] = "lower-case-names"
    unit: ClassVar[str] = "names"
    percent: ClassVar[tuple[int, ...]] = RARE

    def places(self, text: str) -> list[Span]:
        """Words of a capital and small letters that begin no sentence."""
        return capitalised(text)

    def edit(self, piece: str, number: float) -> str:
        """The name in small letters."""
        return piece.lower()
