"""Texts: the inputs of a batch in the modality text, one field a sample or several."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from windtunnel.errors import DataError

WORDS = "words"
"""The measure of a change to a text: how many words were replaced, added or left out."""


@dataclass(frozen=True)
class Texts:
    """Text inputs, a row for each sample; immutable, so that no threat can change what another one is given.

    `texts[rows]` and `texts[start:stop]` are the samples there, as with a tensor.

    Args:
        rows: for each sample its fields, in the order of `fields`.
        fields: their names; one for single texts, two for pairs such as premise and hypothesis.
        open: the fields that threats may change; all others must come back as they were. All of them if left out.
    Raises:
        DataError: no field, two of one name, a row with another number of fields, or an open field that does not exist.
    """

    rows: tuple[tuple[str, ...], ...]
    fields: tuple[str, ...] = ("text",)
    open: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.fields or len(set(self.fields)) < len(self.fields):
            raise DataError(f"Texts have the fields {', '.join(self.fields) or 'none'}; expected at least one, each of another name.")
        wrong = next((place for place, row in enumerate(self.rows) if len(row) != len(self.fields)), None)
        if wrong is not None:
            raise DataError(f"Text {wrong} has {len(self.rows[wrong])} fields; expected {len(self.fields)}: {', '.join(self.fields)}.")
        missing = [name for name in self.open if name not in self.fields]
        if missing:
            raise DataError(f"There is no field {missing[0]!r} to change; the texts have {', '.join(self.fields)}.")
        object.__setattr__(self, "open", self.open or self.fields)

    @classmethod
    def of(cls, texts: Sequence[str] | Sequence[Sequence[str]], fields: tuple[str, ...] = (), open: tuple[str, ...] = ()) -> Texts:  # noqa: A002
        """Texts from plain strings, or from tuples of strings.

        Args:
            texts: a string, or the fields of a sample, each.
            fields: their names; "text", or "first", "second", ... if left out.
            open: the fields that threats may change.
        """
        rows = tuple((text,) if isinstance(text, str) else tuple(text) for text in texts)
        width = len(rows[0]) if rows else 1
        return cls(rows, fields or _names(width), open)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        return iter(self.rows)

    def __getitem__(self, rows: Any) -> Texts:
        """The samples of a slice, or at row numbers in their order."""
        if isinstance(rows, slice):
            return replace(self, rows=self.rows[rows])
        return replace(self, rows=tuple(self.rows[row] for row in np.asarray(rows, dtype=np.int64).tolist()))

    def to(self, device: Any) -> Texts:
        """These texts: they live on no device."""
        return self

    def put(self, rows: Sequence[int], others: Texts) -> Texts:
        """These texts with the samples at `rows` replaced by `others`."""
        changed = list(self.rows)
        for row, other in zip(rows, others.rows, strict=True):
            changed[row] = other
        return replace(self, rows=tuple(changed))

    def rewrite(self, change: Callable[[int, str], str]) -> Texts:
        """These texts with every open field replaced by `change(row, text)`; the others stay."""
        free = [name in self.open for name in self.fields]
        rows = (tuple(change(place, text) if may else text for text, may in zip(row, free, strict=True)) for place, row in enumerate(self.rows))
        return replace(self, rows=tuple(rows))

    def plain(self) -> list[str] | list[tuple[str, ...]]:
        """Strings, or tuples of strings where a sample has several fields."""
        return [row[0] for row in self.rows] if len(self.fields) == 1 else list(self.rows)


def _names(width: int) -> tuple[str, ...]:
    return ("text",) if width == 1 else ("first", "second", "third", "fourth")[:width]


def changed_words(before: str, after: str) -> int:
    """How many words must be replaced, added or left out to come from one text to the other; words are parted by white space.

    Source:
        Hyyrö 2003, "A bit-vector algorithm for computing Levenshtein and Damerau edit distances", figure 7: a column of the table of
        distances is one integer, so that texts of 20,000 words take a tenth of a second.
    """
    first, second = _unlike(before.split(), after.split())
    if not first or not second:
        return len(first) + len(second)
    places: dict[str, int] = {}
    for place, word in enumerate(first):
        places[word] = places.get(word, 0) | 1 << place
    every, last, distance = (1 << len(first)) - 1, 1 << (len(first) - 1), len(first)
    up, down = every, 0
    for word in second:
        equal = places.get(word, 0)
        diagonal = (((equal & up) + up) ^ up) | equal | down
        right, left = (down | ~(diagonal | up)) & every, diagonal & up
        distance += bool(right & last) - bool(left & last)
        right, left = right << 1 | 1, left << 1
        up, down = (left | ~(diagonal | right)) & every, diagonal & right & every
    return distance


def _unlike(first: list[str], second: list[str]) -> tuple[list[str], list[str]]:
    """The two without what they begin and end with alike, which no shortest edit touches."""
    start, shorter = 0, min(len(first), len(second))
    while start < shorter and first[start] == second[start]:
        start += 1
    stop = 0
    while stop < shorter - start and first[-1 - stop] == second[-1 - stop]:
        stop += 1
    return first[start : len(first) - stop], second[start : len(second) - stop]
