"""EDA: synonyms, insertions, swaps and deletions of a few words; and its synonyms alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import ClassVar

import numpy as np
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.modality import TEXT
from windtunnel.core.part import Augmentation, Fitting, Hooks, Minibatch
from windtunnel.core.resource import Resource
from windtunnel.language.casing import alike
from windtunnel.language.resources import RESOURCES
from windtunnel.language.stopwords import STOP_WORDS
from windtunnel.language.wordnet import find_wordnet, read
from windtunnel.recipes.arguments import Chance

Lookup = Callable[[str], Sequence[str]]
Change = Callable[[list[str], int, Lookup, np.random.Generator], list[str]]
"""Words, how many changes and a thesaurus to other words; draws from a generator."""

EDGE = "\"'.,;:!?()[]{}"
"""What may stand around a word between two white spaces, and stays there."""

KNOWN = 50_000
"""Words whose synonyms are remembered at most, since looking them up costs more than all else."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Synonyms(Augmentation):
    """Some words of each of some texts, stop words excepted, are replaced by a random synonym of WordNet's.

    Args:
        alpha: share of a text's words that are replaced, one at least.
        p: chance that a text is changed.
    Source:
        Wei and Zou 2019, arXiv 1901.11196, section 2, synonym replacement, with alpha 0.1 as recommended in table 3.
    Deviation:
        A synonym is one word, written with the capitals of the word that it replaces; the paper's code writes all in small letters.
    """

    use: ClassVar[str] = "synonyms"
    modality: ClassVar[str] = TEXT

    alpha: Chance = 0.1
    p: Chance = 0.5

    @property
    def changes(self) -> tuple[Change, ...]:
        """What may be done to a text."""
        return (replaced,)

    def resources(self) -> Sequence[tuple[str, Resource]]:
        """WordNet."""
        return [(self.use, RESOURCES["wordnet"])]

    def begin(self, fitting: Fitting) -> Hooks:
        """Changing words.

        Raises:
            ResourceError: WordNet is not installed.
        """
        self.require()
        folder = find_wordnet()
        assert folder is not None, "the augmentation has asked for it"
        return _Changed(self, fitting, lru_cache(KNOWN)(read(folder).synonyms))


@dataclass(frozen=True, kw_only=True, config=STRICT)
class EDA(Synonyms):
    """Each of some texts is changed in one of four ways: synonyms put in the place of words, or anywhere, words swapped, or left out.

    Args:
        alpha: share of a text's words that are changed, one at least; the chance of each word to be left out.
        p: chance that a text is changed.
    Source:
        Wei and Zou 2019, arXiv 1901.11196, section 2, "Easy Data Augmentation", with alpha 0.1 as recommended in table 3.
    Deviation:
        The paper adds changed copies to the training set once; here texts are changed anew in every epoch, and the set stays as large.
        Synonyms keep the capitals of their words.
    """

    use: ClassVar[str] = "eda"

    @property
    def changes(self) -> tuple[Change, ...]:
        """The four."""
        return (replaced, inserted, swapped, self.left_out)

    def left_out(self, words: list[str], count: int, synonyms: Lookup, random: np.random.Generator) -> list[str]:
        """Each word is left out with chance alpha; one stays."""
        numbers = random.random(len(words))
        kept = [word for word, number in zip(words, numbers, strict=True) if number >= self.alpha]
        return kept or [words[int(numbers.argmax())]]


class _Changed(Hooks):
    def __init__(self, settings: Synonyms, fitting: Fitting, synonyms: Lookup) -> None:
        self.settings, self.fitting, self.synonyms = settings, fitting, synonyms

    def augment(self, minibatch: Minibatch) -> Minibatch:
        settings = self.settings
        drawn = self.fitting.uniforms(settings.use, minibatch.ids, 2)
        draws = self.fitting.draws(settings.use, minibatch.ids)

        def change(row: int, text: str) -> str:
            words = text.split()
            count = max(1, int(settings.alpha * len(words)))
            if not words or not settings.alpha or drawn[row, 0] >= settings.p:
                return text
            chosen = settings.changes[int(drawn[row, 1] * len(settings.changes))]
            return " ".join(chosen(words, count, self.synonyms, draws[row]))

        return replace(minibatch, inputs=minibatch.inputs.rewrite(change))


def replaced(words: list[str], count: int, synonyms: Lookup, random: np.random.Generator) -> list[str]:
    """Up to `count` different words replaced by a synonym, wherever they occur."""
    different = list(dict.fromkeys(_bare(word).lower() for word in words))
    swaps: dict[str, str] = {}
    for place in random.permutation(len(different)).tolist():
        if len(swaps) < count and (found := _synonym(different[place], synonyms, random)):
            swaps[different[place]] = found
    return [_dressed(word, swaps[key]) if (key := _bare(word).lower()) in swaps else word for word in words]


def inserted(words: list[str], count: int, synonyms: Lookup, random: np.random.Generator) -> list[str]:
    """Synonyms of `count` random words put in at random places."""
    found = list(words)
    for _ in range(count):
        for place in random.permutation(len(words)).tolist():
            if new := _synonym(_bare(words[place]).lower(), synonyms, random):
                found.insert(int(random.integers(0, len(found) + 1)), new)
                break
    return found


def swapped(words: list[str], count: int, synonyms: Lookup, random: np.random.Generator) -> list[str]:
    """Two random words change places, `count` times."""
    found = list(words)
    for _ in range(count if len(words) > 1 else 0):
        first, second = random.choice(len(found), 2, replace=False)
        found[first], found[second] = found[second], found[first]
    return found


def _synonym(word: str, synonyms: Lookup, random: np.random.Generator) -> str | None:
    choices = () if word in STOP_WORDS["nltk-198"] else synonyms(word)
    return choices[int(random.integers(0, len(choices)))] if choices else None


def _bare(word: str) -> str:
    return word.strip(EDGE)


def _dressed(word: str, new: str) -> str:
    """`new` in the capitals of a word, and between the marks around it."""
    bare = _bare(word)
    return word.replace(bare, alike(bare, new), 1)
