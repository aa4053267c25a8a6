"""Greedy: one word after the other, the most important first, each replaced by whatever harms the victim most. Imports torch."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import NamedTuple

from windtunnel.core.attempt import Attempt, Attempted
from windtunnel.core.batch import Batch
from windtunnel.core.margin import margin
from windtunnel.core.texts import Texts
from windtunnel.core.victim import Victim
from windtunnel.threats.text.attack import ASKED, allowed

Row = tuple[str, ...]
Candidates = Callable[[str], Sequence[str]]

WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
"""Letters, with apostrophes inside."""


class Place(NamedTuple):
    """A word of a text: its field, its number in that field as white space parts words, and its letters."""

    field: int
    number: int
    letters: str


@dataclass
class _Text:
    """A text on its way: its words as they are now, and what is left to try.

    Args:
        pieces: of each field, words and the white space between them, alternating.
        places: still to try, the next one last.
        left: words that may still change.
        harm: how far the text as it is now is misclassified: the best other logit less the true class's.
        queries: texts asked about.
    """

    pieces: list[list[str]]
    places: list[Place]
    left: int
    harm: float
    queries: int = 0

    @property
    def row(self) -> Row:
        """The fields as texts."""
        return tuple("".join(pieces) for pieces in self.pieces)

    @property
    def waits(self) -> bool:
        """Whether there is something to try."""
        return self.harm <= 0 and self.left > 0 and bool(self.places)

    def replaced(self, place: Place, letters: str) -> Row:
        """The fields with the letters of one word replaced."""
        pieces = [list(each) for each in self.pieces]
        pieces[place.field][place.number] = pieces[place.field][place.number].replace(place.letters, letters, 1)
        return tuple("".join(each) for each in pieces)


def attack(victim: Victim, batch: Batch[Texts], share: Fraction, candidates: Candidates) -> Attempted:
    """Replace words of each text as long as that brings the victim nearer to a mistake; all texts take each step together.

    Args:
        candidates: what may stand for a word's letters; nothing for words that are left alone.
    """
    free = [number for number, name in enumerate(batch.inputs.fields) if name in batch.inputs.open]
    harms = _asked(victim, batch, list(enumerate(batch.inputs)))
    texts = [_text(row, free, allowed(share, row), harm, candidates) for row, harm in zip(batch.inputs, harms, strict=True)]
    _rank(victim, batch, texts)
    while rows := [row for row, text in enumerate(texts) if text.waits]:
        _step(victim, batch, [(row, texts[row]) for row in rows], candidates)
    attempts = tuple(Attempt("succeeded" if text.harm > 0 else "failed", text.queries) for text in texts)
    return Attempted(batch.inputs.put(range(len(texts)), Texts(tuple(text.row for text in texts), batch.inputs.fields, batch.inputs.open)), attempts)


def _text(row: Row, free: Sequence[int], left: int, harm: float, candidates: Candidates) -> _Text:
    pieces = [re.split(r"(\s+)", field) for field in row]
    found = [(field, number, max(WORD.findall(piece), key=len, default="")) for field in free for number, piece in enumerate(pieces[field])]
    return _Text(pieces, [Place(*place) for place in found if place[2] and candidates(place[2])], left, harm, queries=1)


def _rank(victim: Victim, batch: Batch[Texts], texts: Sequence[_Text]) -> None:
    """Bring the places of each text into order: last, and so first to be tried, the one without which the harm is largest."""
    # One after the other: of a text of many words, as many copies as words would fill the memory.
    asked = ((row, text.replaced(place, "")) for row, text in enumerate(texts) if text.waits for place in text.places)
    found = iter(_asked(victim, batch, asked))
    for text in texts:
        if text.waits:
            scores = [next(found) for _ in text.places]
            text.queries += len(scores)
            order = sorted(range(len(scores)), key=lambda number: (scores[number], -number))
            text.places = [text.places[number] for number in order]


def _step(victim: Victim, batch: Batch[Texts], texts: Sequence[tuple[int, _Text]], candidates: Candidates) -> None:
    """Try the next place of each text."""
    tried = [(row, text, place, candidates(place.letters)) for row, text in texts for place in [text.places.pop()]]
    found = iter(_asked(victim, batch, [(row, text.replaced(place, each)) for row, text, place, letters in tried for each in letters]))
    for _, text, place, letters in tried:
        harms = [next(found) for _ in letters]
        text.queries += len(letters)
        best = max(range(len(letters)), key=harms.__getitem__)
        if harms[best] > text.harm:
            piece = text.pieces[place.field][place.number]
            text.pieces[place.field][place.number] = piece.replace(place.letters, letters[best], 1)
            text.harm, text.left = harms[best], text.left - 1


def _asked(victim: Victim, batch: Batch[Texts], asked: Iterable[tuple[int, Row]]) -> list[float]:
    """How far texts are misclassified, each with the number of the sample that it is made of."""
    found: list[float] = []
    waiting = iter(asked)
    while piece := list(islice(waiting, ASKED)):
        logits = victim.logits(Texts(tuple(text for _, text in piece), batch.inputs.fields, batch.inputs.open))
        labels = batch.labels[[row for row, _ in piece]].to(logits.device)
        found += margin(logits, labels).tolist()
    return found
