"""Disguises: words that look the same to a reader, or can be read all the same, and are others to a machine."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.threats.text.edits import LETTERS, WORDS, Edits, Span, characters, pick
from windtunnel.threats.text.vocabulary import WORD

_ALIKE: Final[Mapping[str, str]] = MappingProxyType(
    dict(
        zip(
            "acdehijlopqsvwxyABCEGHIJKMNOPSTXYZ",
            # Cyrillic but for Greek Nu and Zeta; the point of i and j counts.
            "\u0430\u0441\u0501\u0435\u04bb\u0456\u0458\u04cf\u043e\u0440\u051b\u0455\u0475\u051d\u0445\u0443"
            "\u0410\u0412\u0421\u0415\u050c\u041d\u0406\u0408\u041a\u041c\u039d\u041e\u0420\u0405\u0422\u0425\u04ae\u0396",
            strict=True,
        )
    )
)
_HIDDEN: Final = "\u200b\u200c\u200d\u2060"
"""Zero-width space, non-joiner and joiner, and word joiner."""
_SIGNS: Final = ("a4@", "b8", "e3", "g96", "i1!", "l1|", "o0", "s5$", "t7+", "z2")
_LEET: Final[Mapping[str, str]] = MappingProxyType({letter: signs[1:] for signs in _SIGNS for letter in (signs[0], signs[0].upper())})


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Homoglyphs(Edits):
    """Latin letters replaced by Cyrillic or Greek ones that look the same.

    Source:
        Unicode Technical Standard 39, confusables, of which these are the ones that common typefaces draw alike.
    """

    use: ClassVar[str] = "homoglyphs"
    unit: ClassVar[str] = "letters that have a double"
    percent: ClassVar[tuple[int, ...]] = WORDS
    keeps_digits: ClassVar[bool] = True
    keeps_words: ClassVar[bool] = True
    keeps_ascii: ClassVar[bool] = False
    keeps_negations: ClassVar[bool] = False

    def places(self, text: str) -> list[Span]:
        """Letters of the table."""
        return characters(text, _ALIKE)

    def edit(self, piece: str, number: float) -> str:
        """Its double."""
        return _ALIKE[piece]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ZeroWidth(Edits):
    """Characters without width put between letters; nothing is to be seen.

    Source:
        Boucher et al. 2022, arXiv 2106.09898, section IV, invisible characters.
    """

    use: ClassVar[str] = "zero-width"
    unit: ClassVar[str] = "seams between letters"
    percent: ClassVar[tuple[int, ...]] = LETTERS
    keeps_digits: ClassVar[bool] = True
    keeps_words: ClassVar[bool] = True
    keeps_ascii: ClassVar[bool] = False
    keeps_negations: ClassVar[bool] = False

    def places(self, text: str) -> list[Span]:
        """Between two letters."""
        return [(place, place) for found in WORD.finditer(text) for place in range(found.start() + 1, found.end())]

    def edit(self, piece: str, number: float) -> str:
        """One that is not seen."""
        return pick(_HIDDEN, number)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Leetspeak(Edits):
    """Letters written as digits and signs of like shape.

    Source:
        Ours; the substitutions that are most in use.
    """

    use: ClassVar[str] = "leetspeak"
    unit: ClassVar[str] = "letters that have a sign"
    percent: ClassVar[tuple[int, ...]] = WORDS
    keeps_digits: ClassVar[bool] = False
    keeps_words: ClassVar[bool] = True
    keeps_ascii: ClassVar[bool] = True
    keeps_negations: ClassVar[bool] = False

    def places(self, text: str) -> list[Span]:
        """Letters of the table."""
        return characters(text, _LEET)

    def edit(self, piece: str, number: float) -> str:
        """A sign for it."""
        return pick(_LEET[piece], number)
