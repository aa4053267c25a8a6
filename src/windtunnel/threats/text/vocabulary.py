"""Vocabulary: the word lists that ship with the package, and what all perturbations take for words and negations."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Final

APOSTROPHES: Final = "'’"

WORD: Final = re.compile(r"[^\W\d_]+")
"""A run of letters of any script."""

LONG_WORD: Final = re.compile(r"[^\W\d_]{4,}")
"""A run of four letters or more."""

_NEGATED: Final = tuple(f"n{mark}t" for mark in APOSTROPHES)

_EDGE: Final = "\"“”‘’'`()[]{}<>*_.,;:!?…-–—"


@cache
def lines(name: str) -> tuple[str, ...]:
    """The lines of a word list but for comments."""
    text = (files("windtunnel.threats.text") / "words" / f"{name}.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))


@cache
def negations() -> frozenset[str]:
    """Words that turn round what is said of others, in small letters; those that end in "n't" do, too."""
    return frozenset(word for line in lines("negations") for word in line.split())


def is_negation(token: str) -> bool:
    """Whether a token between white space turns round what is said of others, with or without punctuation around it."""
    word = token.strip(_EDGE).upper().lower()  # a dotless i is an i in capitals
    return word in negations() or word.endswith(_NEGATED)
