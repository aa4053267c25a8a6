"""Contractions: "do not" as "don't", and the other way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.language.casing import alike
from windtunnel.threats.text.edits import RARE, Edits, Span
from windtunnel.threats.text.vocabulary import APOSTROPHES, lines


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Contractions(Edits):
    """Pairs of words contracted: "do not" becomes "don't".

    Source:
        Ribeiro et al. 2020, arXiv 2005.04118, for the idea; the table is ours.
    """

    use: ClassVar[str] = "contractions"
    unit: ClassVar[str] = "phrases that can be contracted"
    percent: ClassVar[tuple[int, ...]] = RARE
    keeps_digits: ClassVar[bool] = True
    keeps_words: ClassVar[bool] = False
    keeps_ascii: ClassVar[bool] = True
    keeps_negations: ClassVar[bool] = False

    def places(self, text: str) -> list[Span]:
        """Phrases of the table, with a word after them."""
        return [found.span() for found in _contractible().finditer(text)]

    def edit(self, piece: str, number: float) -> str:
        """The short form."""
        return alike(piece, short_forms()[piece.lower()])


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Expansions(Edits):
    """Contractions written out: "don't" becomes "do not". What may stand for "has" or "is" by turns is left alone.

    Source:
        Ribeiro et al. 2020, arXiv 2005.04118, for the idea; the table is ours.
    """

    use: ClassVar[str] = "expansions"
    unit: ClassVar[str] = "contractions"
    percent: ClassVar[tuple[int, ...]] = RARE
    keeps_digits: ClassVar[bool] = True
    keeps_words: ClassVar[bool] = False
    keeps_ascii: ClassVar[bool] = True
    keeps_negations: ClassVar[bool] = False

    def places(self, text: str) -> list[Span]:
        """Contractions of the table."""
        return [found.span() for found in _expandable().finditer(text)]

    def edit(self, piece: str, number: float) -> str:
        """The long form."""
        return alike(piece, long_forms()[piece.lower().replace("’", "'")])


@cache
def short_forms() -> Mapping[str, str]:
    """What each phrase is contracted to, in small letters."""
    pairs = (line.partition(" = ") for line in lines("contractions"))
    return MappingProxyType({phrase: contracted for phrase, sign, contracted in pairs if sign})


@cache
def long_forms() -> Mapping[str, str]:
    """What each contraction stands for, in small letters."""
    pairs = [re.split(" [=<] ", line) for line in lines("contractions")]
    return MappingProxyType({contracted: phrase for phrase, contracted in pairs})


@cache
def _contractible() -> re.Pattern[str]:
    # Nobody contracts the end of a sentence: "that is what it is."
    return re.compile(rf"{_any(short_forms())}(?=\s[A-Za-z])", re.IGNORECASE | re.ASCII)


@cache
def _expandable() -> re.Pattern[str]:
    # "It's been" is "it has been".
    return re.compile(rf"{_any(long_forms())}(?![\w{APOSTROPHES}])(?!\s(?:been|had|got|become|gone)\b)", re.IGNORECASE | re.ASCII)


def _any(phrases: Iterable[str]) -> str:
    """A pattern of phrases that are no part of a word, the longest first."""
    chosen = "|".join(sorted(phrases, key=lambda phrase: (-len(phrase), phrase)))
    return rf"(?<![\w{APOSTROPHES}])(?:{chosen.replace(chr(39), f'[{APOSTROPHES}]')})"
