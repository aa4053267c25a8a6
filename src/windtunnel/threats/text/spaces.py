"""White space: words run together, and words torn apart."""

from __future__ import annotations

import re
from typing import ClassVar, Final

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.threats.text.edits import WORDS, Edits, Span
from windtunnel.threats.text.vocabulary import LONG_WORD

_GAP: Final = re.compile(r"(?<=\S)\s++(?=\S)")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class JoinedWords(Edits):
    """Words without the white space between them.

    Source:
        Ours.
    """

    use: ClassVar[str] = "joined-words"
    unit: ClassVar[str] = "gaps between words"
    percent: ClassVar[tuple[int, ...]] = WORDS
    keeps_digits: ClassVar[bool] = True
    keeps_words: ClassVar[bool] = False
    keeps_ascii: ClassVar[bool] = True
    keeps_negations: ClassVar[bool] = False

    def places(self, text: str) -> list[Span]:
        """White space with something on both sides."""
        return [found.span() for found in _GAP.finditer(text)]

    def edit(self, piece: str, number: float) -> str:
        """Nothing."""
        return ""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SplitWords(Edits):
    """Words with a space inside; at least two letters stay together on both sides.

    Source:
        Ours.
    """

    use: ClassVar[str] = "split-words"
    unit: ClassVar[str] = "words of four letters or more"
    percent: ClassVar[tuple[int, ...]] = WORDS
    keeps_digits: ClassVar[bool] = True
    keeps_words: ClassVar[bool] = False
    keeps_ascii: ClassVar[bool] = True
    keeps_negations: ClassVar[bool] = False

    def places(self, text: str) -> list[Span]:
        """Words that leave two letters on both sides."""
        return [found.span() for found in LONG_WORD.finditer(text)]

    def edit(self, piece: str, number: float) -> str:
        """The word in two pieces."""
        place = 2 + int(number * (len(piece) - 3))
        return f"{piece[:place]} {piece[place:]}"
