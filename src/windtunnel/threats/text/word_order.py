"""Words put in, left out and moved, but never so that a negation loses what it negates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import permutations
from typing import ClassVar, Final

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.threats.text.edits import RARE, WORDS, Edits, Span, pick
from windtunnel.threats.text.vocabulary import APOSTROPHES, WORD, is_negation, lines

_TOKEN: Final = re.compile(r"\S+")
_DIGIT: Final = re.compile(r"\d")
_PLAIN: Final = re.compile(rf"{WORD.pattern}(?:[{APOSTROPHES}-]{WORD.pattern})*")
"""A word without digits and without punctuation around it."""
_SCOPE = 3
"""So many words after a negation no filler is put in; ours."""
_WINDOW = 3
"""At most so many neighbouring words change places; ours."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Fillers(Edits):
    """Fillers such as "you know" between words, not within three words after a negation.

    Source:
        Ours.
    """

    use: ClassVar[str] = "fillers"
    unit: ClassVar[str] = "gaps between words"
    percent: ClassVar[tuple[int, ...]] = WORDS
    keeps_digits: ClassVar[bool] = True
    keeps_words: ClassVar[bool] = False
    keeps_ascii: ClassVar[bool] = True
    keeps_negations: ClassVar[bool] = True

    def places(self, text: str) -> list[Span]:
        """Gaps between two words without punctuation, outside the reach of negations."""
        found: list[Span] = []
        stop, plain, since = 0, False, _SCOPE
        for match in _TOKEN.finditer(text):
            before, plain = plain, _PLAIN.fullmatch(match[0]) is not None
            if before and plain and since >= _SCOPE:
                found.append((stop, match.start()))
            since = 0 if is_negation(match[0]) else since + 1
            stop = match.end()
        return found

    def edit(self, piece: str, number: float) -> str:
        """A filler between commas."""
        return f", {pick(lines('fillers'), number)}, "


@dataclass(frozen=True, kw_only=True, config=STRICT)
class WordDropout(Edits):
    """Words left out, but never the first one, a negation, the word after it, or one with digits.

    Source:
        Iyyer et al. 2015, Deep Unordered Composition Rivals Syntactic Methods for Text Classification, section 3.1, as an augmentation.
    """

    use: ClassVar[str] = "word-dropout"
    unit: ClassVar[str] = "words"
    percent: ClassVar[tuple[int, ...]] = WORDS
    keeps_digits: ClassVar[bool] = True
    keeps_words: ClassVar[bool] = False
    keeps_ascii: ClassVar[bool] = True
    keeps_negations: ClassVar[bool] = True

    def places(self, text: str) -> list[Span]:
        """Words, each with the white space before it."""
        stop, found = 0, []
        for match, negated in _negated(text):
            if stop and not negated and WORD.search(match[0]) and not _DIGIT.search(match[0]):
                found.append((stop, match.end()))
            stop = match.end()
        return found

    def edit(self, piece: str, number: float) -> str:
        """Nothing."""
        return ""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class WordShuffling(Edits):
    """Two or three neighbouring words in another order; negations, what follows them, and words with punctuation or digits stay.

    Source:
        Ours.
    """

    use: ClassVar[str] = "word-shuffling"
    unit: ClassVar[str] = "groups of two or three words"
    percent: ClassVar[tuple[int, ...]] = RARE
    keeps_digits: ClassVar[bool] = True
    keeps_words: ClassVar[bool] = True
    keeps_ascii: ClassVar[bool] = True
    keeps_negations: ClassVar[bool] = True

    def places(self, text: str) -> list[Span]:
        """Runs of words that may move, cut into groups."""
        groups: list[list[Span]] = [[]]
        for match, negated in _negated(text):
            if negated or not _PLAIN.fullmatch(match[0]):
                groups.append([])
            elif len(groups[-1]) == _WINDOW:
                groups.append([match.span()])
            else:
                groups[-1].append(match.span())
        return [(group[0][0], group[-1][1]) for group in groups if len({text[slice(*span)] for span in group}) > 1]

    def edit(self, piece: str, number: float) -> str:
        """Another order of the words; the white space stays where it was."""
        words, gaps = _TOKEN.findall(piece), _TOKEN.split(piece)
        orders = sorted(set(permutations(words)) - {tuple(words)})
        return "".join(gap + word for gap, word in zip(gaps, pick(orders, number), strict=False))


def _negated(text: str) -> Iterator[tuple[re.Match[str], bool]]:
    """The tokens between white space, each with whether it is a negation or follows one."""
    after = False
    for match in _TOKEN.finditer(text):
        negation = is_negation(match[0])
        yield match, negation or after
        after = negation
