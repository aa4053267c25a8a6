"""Greedy typos: slips of the fingers inside words, aimed at the victim."""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.attempt import Attempted
from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT
from windtunnel.core.texts import Texts
from windtunnel.core.victim import Victim
from windtunnel.threats.text.attack import TextAttack

SHORTEST = 4
"""Letters of the shortest word that is changed. Source: Pruthi et al. 2019, section 2.2."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class GreedyTypos(TextAttack):
    """One slip a word, in the words whose loss the victim minds most; it takes whichever slip harms the victim most.

    Words are ranked by what the victim says without each. Then, word by word, two neighbouring letters are swapped, one is left out or one is
    doubled, never the first or the last; what does not bring the victim nearer to a mistake is taken back. Nothing is drawn at random.

    Args:
        words: largest share of a text's words that may change, rounded up to whole words; several make one curve.
    Source:
        The ranking and the edits: Gao et al. 2018, arXiv 1801.04354. Letters at both ends stay: Pruthi et al. 2019, arXiv 1905.11268.
    Deviation:
        All slips of these kinds are tried where DeepWordBug draws one of each kind, and none inserts or substitutes a random letter.
    """

    use: ClassVar[str] = "greedy-typos"
    libraries: ClassVar[tuple[str, ...]] = ("torch",)

    def passes(self) -> float:
        """A guess for a sentence of twenty words."""
        return 150.0

    def perturb(self, victim: Victim, batch: Batch[Texts], level: Fraction, seed: int) -> Attempted:
        """The texts with their slips."""
        from windtunnel.threats.text.greedy import attack

        return attack(victim, batch, level, slips)


def slips(word: str) -> tuple[str, ...]:
    """All swaps, omissions and doublings of letters inside a word."""
    if len(word) < SHORTEST:
        return ()
    inner = range(1, len(word) - 1)
    swapped = [word[:place] + word[place + 1] + word[place] + word[place + 2 :] for place in inner if place + 2 < len(word)]
    omitted = [word[:place] + word[place + 1 :] for place in inner]
    doubled = [word[:place] + word[place] + word[place:] for place in inner]
    return tuple(dict.fromkeys(each for each in (*swapped, *omitted, *doubled) if each != word))
