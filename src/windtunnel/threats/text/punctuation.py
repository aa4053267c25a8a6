"""Punctuation: marks left out, doubled, or set where none belong."""

from __future__ import annotations

import re
from typing import ClassVar, Final

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.threats.text.edits import RARE, WORDS, Edits, Span, pick
from windtunnel.threats.text.vocabulary import APOSTROPHES, WORD

_LOOSE: Final = re.compile(rf"(?<![\w{APOSTROPHES}.,;:!?])[.,;:!?]++|(?<=\w)[.,;:!?]++(?![{APOSTROPHES}]?\w)")
"""Marks that do not hold two words or numbers apart, as in 3.5."""
_END: Final = re.compile(r"(?<=[^\W\d_])(?=\s)")
"""Where a word ends at white space."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DroppedPunctuation(Edits):
    """Marks left out; marks inside numbers and words stay.

    Source:
        Ours.
    """

    use: ClassVar[str] = "dropped-punctuation"
    unit: ClassVar[str] = "runs of . , ; : ! ?"
    percent: ClassVar[tuple[int, ...]] = RARE
    keeps_digits: ClassVar[bool] = True
    keeps_words: ClassVar[bool] = False
    keeps_ascii: ClassVar[bool] = True
    keeps_negations: ClassVar[bool] = True

    def places(self, text: str) -> list[Span]:
        """Runs of marks, if the text has letters besides."""
        return [found.span() for found in _LOOSE.finditer(text)] if WORD.search(text) else []

    def edit(self, piece: str, number: float) -> str:
        """Nothing."""
        return ""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DoubledPunctuation(Edits):
    """Marks set twice or three times; marks inside numbers and words stay.

    Source:
        Ours.
    """

    use: ClassVar[str] = "doubled-punctuation"
    unit: ClassVar[str] = "runs of . , ; : ! ?"
    percent: ClassVar[tuple[int, ...]] = RARE
    keeps_digits: ClassVar[bool] = True
    keeps_words: ClassVar[bool] = True
    keeps_ascii: ClassVar[bool] = True
    keeps_negations: ClassVar[bool] = True

    def places(self, text: str) -> list[Span]:
        """Runs of marks."""
        return [found.span() for found in _LOOSE.finditer(text)]

    def edit(self, piece: str, number: float) -> str:
        """Two of them or three."""
        return piece * (2 + int(number * 2))


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AddedPunctuation(Edits):
    """Marks set after words where none belong.

    Source:
        Ours.
    """

    use: ClassVar[str] = "added-punctuation"
    unit: ClassVar[str] = "words before white space"
    percent: ClassVar[tuple[int, ...]] = WORDS
    keeps_digits: ClassVar[bool] = True
    keeps_words: ClassVar[bool] = True
    keeps_ascii: ClassVar[bool] = True
    keeps_negations: ClassVar[bool] = True

    def places(self, text: str) -> list[Span]:
        """Ends of words."""
        return [found.span() for found in _END.finditer(text)]

    def edit(self, piece: str, number: float) -> str:
        """A mark that neither asks nor shouts."""
        return pick(".,;:-", number)
