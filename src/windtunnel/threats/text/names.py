"""Names in a text: words that are capitalised although no sentence begins with them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from windtunnel.threats.text.edits import Span
from windtunnel.threats.text.vocabulary import APOSTROPHES, WORD, is_negation, lines

_WORD: Final = re.compile(rf"({WORD.pattern})((?:[{APOSTROPHES}]{WORD.pattern})*)")
_POSSESSIVE: Final = frozenset({"", *(f"{mark}s" for mark in APOSTROPHES)})
"""What may follow a name within its word; "Don't" is none."""
_ENDS: Final = re.compile(r"[.!?:;…\"“”‘(\[\n]")
"""What may have a capital after it that means no name."""
_TITLES: Final = frozenset({"Mr", "Mrs", "Ms", "Dr", "Prof", "St"})
"""Abbreviations whose full stop ends no sentence."""


@cache
def names(kind: str) -> Mapping[str, None]:
    """A list of capitalised words in its order: "given-names", "surnames" or "other-capitals"."""
    return MappingProxyType(dict.fromkeys(word for line in lines(kind) for word in line.split()))


def capitalised(text: str) -> list[Span]:
    """Words like "Berlin" that do not begin a sentence."""
    return [span for span, begins in _capitals(text) if not begins]


def people(text: str) -> list[Span]:
    """Words that are likely names of people: listed names anywhere, and other capitalised words inside sentences."""
    given, surnames, others = names("given-names"), names("surnames"), names("other-capitals")
    found = [(span, begins, text[slice(*span)]) for span, begins in _capitals(text)]
    return [span for span, begins, word in found if word in given or word in surnames or not (begins or word in others or is_negation(word))]


def _capitals(text: str) -> list[tuple[Span, bool]]:
    """Words of a capital and small letters, each with whether a sentence may begin there."""
    found: list[tuple[Span, bool]] = []
    stop, last = 0, ""
    for match in _WORD.finditer(text):
        word = match[1]
        if word[0] != word[0].lower() and word[1:].islower() and match[2] in _POSSESSIVE:
            begins = not last or (last not in _TITLES and _ENDS.search(text, stop, match.start()) is not None)
            found.append((match.span(1), begins))
        stop, last = match.end(), word
    return found
