"""Spelling: American words as the British write them, and the other way."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import ClassVar, Final

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.language.casing import alike
from windtunnel.threats.text.edits import RARE, Edits, Span
from windtunnel.threats.text.vocabulary import lines

_WORD: Final = re.compile("[A-Za-z]+")


@cache
def british() -> Mapping[str, str]:
    """The British spelling of each American one."""
    pairs: dict[str, str] = {}
    for line in lines("spellings"):
        american, other, *endings = line.split()
        pairs.update({american + ending.strip("-"): other + ending.strip("-") for ending in endings})
    return MappingProxyType(pairs)


@cache
def american() -> Mapping[str, str]:
    """The American spelling of each British one."""
    return MappingProxyType({there: here for here, there in british().items()})


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Spelling(Edits):
    """Base of the perturbations that respell the words of a table."""

    percent: ClassVar[tuple[int, ...]] = RARE
    keeps_digits: ClassVar[bool] = True
    keeps_words: ClassVar[bool] = True
    keeps_ascii: ClassVar[bool] = True
    keeps_negations: ClassVar[bool] = True

    @abstractmethod
    def table(self) -> Mapping[str, str]:
        """The new spelling of each word, in small letters."""

    def places(self, text: str) -> list[Span]:
        """Words of the table."""
        known = self.table()
        return [found.span() for found in _WORD.finditer(text) if found[0].lower() in known]

    def edit(self, piece: str, number: float) -> str:
        """The other spelling, in the same case."""
        return alike(piece, self.table()[piece.lower()])


@dataclass(frozen=True, kw_only=True, config=STRICT)
class BritishSpelling(Spelling):
    """American spellings replaced by British ones.

    Source:
        Ours; the variants that dictionaries give, where they are variants in every sense.
    """

    use: ClassVar[str] = "british-spelling"
    unit: ClassVar[str] = "words in American spelling"

    def table(self) -> Mapping[str, str]:
        """American to British."""
        return british()


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AmericanSpelling(Spelling):
    """British spellings replaced by American ones.

    Source:
        Ours; the variants that dictionaries give, where they are variants in every sense.
    """

    use: ClassVar[str] = "american-spelling"
    unit: ClassVar[str] = "words in British spelling"

    def table(self) -> Mapping[str, str]:
        """British to American."""
        return american()
