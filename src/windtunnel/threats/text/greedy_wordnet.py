"""Greedy WordNet: synonyms, aimed at the victim."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import ClassVar

from pydantic import PositiveInt
from pydantic.dataclasses import dataclass

from windtunnel.core.attempt import Attempted
from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT
from windtunnel.core.resource import Resource
from windtunnel.core.texts import Texts
from windtunnel.core.victim import Victim
from windtunnel.language.casing import alike
from windtunnel.language.resources import RESOURCES
from windtunnel.language.stopwords import STOP_WORDS, StopWords
from windtunnel.language.wordnet import WordNet, find_wordnet, read
from windtunnel.threats.text.attack import TextAttack

NEEDS = ("wordnet",)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class GreedyWordNet(TextAttack):
    """One synonym a word, in the words whose loss the victim minds most; it takes whichever synonym harms the victim most.

    Words are ranked by what the victim says without each. Then, word by word, those that share a meaning in WordNet are tried in its
    place; what does not bring the victim nearer to a mistake is taken back. Nothing is drawn at random.

    Args:
        words: largest share of a text's words that may change, rounded up to whole words; several make one curve.
        candidates: synonyms tried for a word, of its commonest meanings.
        stop_words: which of the two lists that NLTK's corpus has had; these words are left alone.
    Source:
        Synonyms of WordNet as substitutes: Ren et al. 2019, ACL Anthology P19-1103.
    Deviation:
        Words are ranked by deletion alone, and only synonyms of a word as it is spelt are tried: a plural has none, so that number and tense
        stay as they are.
    """

    use: ClassVar[str] = "greedy-wordnet"
    libraries: ClassVar[tuple[str, ...]] = ("torch",)

    candidates: PositiveInt = 15
    stop_words: StopWords = "nltk-198"

    def passes(self) -> float:
        """A guess for a sentence of twenty words."""
        return 120.0

    def resources(self) -> tuple[Resource, ...]:
        """WordNet."""
        return tuple(RESOURCES[name] for name in NEEDS)

    def perturb(self, victim: Victim, batch: Batch[Texts], level: Fraction, seed: int) -> Attempted:
        """The texts with their synonyms.

        Raises:
            ResourceError: WordNet is not installed.
        """
        from windtunnel.threats.text.greedy import attack

        self.require()
        folder = find_wordnet()
        assert folder is not None, "the attack has asked for it"
        return attack(victim, batch, level, _synonyms(read(folder), STOP_WORDS[self.stop_words], self.candidates))


def _synonyms(wordnet: WordNet, left_alone: frozenset[str], most: int) -> Callable[[str], tuple[str, ...]]:
    def synonyms(word: str) -> tuple[str, ...]:
        if word.lower() in left_alone:
            return ()
        return tuple(alike(word, other) for other in wordnet.synonyms(word)[:most])

    return synonyms
