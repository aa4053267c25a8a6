"""Errors of machines that read or listen: shapes and sounds taken for others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import ClassVar, Final

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.language.casing import alike
from windtunnel.threats.text.edits import LETTERS, RARE, Edits, Span, pick
from windtunnel.threats.text.vocabulary import APOSTROPHES, lines

_WORD: Final = re.compile(rf"[A-Za-z]+(?:[{APOSTROPHES}][A-Za-z]+)?")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class OcrErrors(Edits):
    """Letters and digits read as others of like shape, as by optical character recognition.

    Source:
        Ours; pairs of like shape in the common book types.
    """

    use: ClassVar[str] = "ocr-errors"
    unit: ClassVar[str] = "shapes that are easily confused"
    percent: ClassVar[tuple[int, ...]] = LETTERS
    keeps_digits: ClassVar[bool] = False
    keeps_words: ClassVar[bool] = True
    keeps_ascii: ClassVar[bool] = True
    keeps_negations: ClassVar[bool] = False

    def places(self, text: str) -> list[Span]:
        """Letters, pairs of letters and digits that look like others."""
        return [found.span() for found in _any_shape().finditer(text)]

    def edit(self, piece: str, number: float) -> str:
        """One that it looks like."""
        return pick(shapes()[piece], number)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Homophones(Edits):
    """Words written as others that sound alike, as by speech recognition. Negations (no, not) are left alone.

    Source:
        Ours; words that sound alike in most accents of English.
    """

    use: ClassVar[str] = "homophones"
    unit: ClassVar[str] = "words that sound like another"
    percent: ClassVar[tuple[int, ...]] = RARE
    keeps_digits: ClassVar[bool] = True
    keeps_words: ClassVar[bool] = True
    keeps_ascii: ClassVar[bool] = True
    keeps_negations: ClassVar[bool] = True

    def places(self, text: str) -> list[Span]:
        """Words of the table."""
        known = homophones()
        return [found.span() for found in _WORD.finditer(text) if _spelt(found[0]) in known]

    def edit(self, piece: str, number: float) -> str:
        """One that sounds the same, in the same case."""
        return alike(piece, pick(homophones()[_spelt(piece)], number))


@cache
def shapes() -> Mapping[str, tuple[str, ...]]:
    """For each letter, pair of letters or digit those that look like it."""
    table = [line.split() for line in lines("shapes")]
    return MappingProxyType({shape: tuple(others) for shape, *others in table})


@cache
def _any_shape() -> re.Pattern[str]:
    """Pairs go before single letters; a class of these is faster than alternatives."""
    pairs, single = ([shape for shape in shapes() if (len(shape) > 1) == several] for several in (True, False))
    return re.compile(f"{'|'.join(pairs)}|[{''.join(single)}]")


@cache
def homophones() -> Mapping[str, tuple[str, ...]]:
    """For each word those that sound like it."""
    groups = [line.split() for line in lines("homophones")]
    return MappingProxyType({word: tuple(other for other in group if other != word) for group in groups for word in group})


def _spelt(word: str) -> str:
    return word.lower().replace("’", "'")
