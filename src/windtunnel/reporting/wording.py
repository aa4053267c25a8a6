"""Wording: two texts side by side as safe HTML, changed words marked and invisible characters told by their numbers."""

from __future__ import annotations

import re
import unicodedata
from difflib import SequenceMatcher
from typing import NamedTuple

from markupsafe import Markup, escape

LONGEST = 1_500
"""Characters of a text on the page; what records hold is shorter."""

_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})
"""Unicode categories of what shows nothing by itself or turns the direction of what follows."""

_PIECES = re.compile(r"\s+|\S+")


class Side(NamedTuple):
    """One text before and after a threat.

    Args:
        field: its name; empty where a sample has but one.
        before, after: safe HTML.
    """

    field: str
    before: Markup
    after: Markup


def side(field: str, before: str, after: str) -> Side:
    """Both texts with the words that differ in <mark>."""
    old, new = (_PIECES.findall(text[:LONGEST]) for text in (before, after))
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    marks: tuple[set[int], set[int]] = (set(range(len(old))), set(range(len(new))))
    for block in matcher.get_matching_blocks():
        marks[0].difference_update(range(block.a, block.a + block.size))
        marks[1].difference_update(range(block.b, block.b + block.size))
    return Side(field, _html(old, marks[0]), _html(new, marks[1]))


def _html(pieces: list[str], marked: set[int]) -> Markup:
    """Pieces joined; neighbours that are marked share one mark."""
    found, open_ = [], False
    for place, piece in enumerate(pieces):
        if (place in marked) != open_:
            found.append(Markup("</mark>") if open_ else Markup("<mark>"))
            open_ = not open_
        found.append(visible(piece))
    return Markup("").join([*found, Markup("</mark>") if open_ else ""])


def visible(text: str) -> Markup:
    """The text escaped, with "U+200B" in the place of a character that shows nothing or turns the direction; line ends are blanks."""
    return Markup("").join(
        Markup('<span class="unseen">U+{:04X}</span>').format(ord(character))
        if unicodedata.category(character) in _INVISIBLE and character not in "\t\n\r"
        else escape(" " if character in "\t\n\r" else character)
        for character in text
    )
