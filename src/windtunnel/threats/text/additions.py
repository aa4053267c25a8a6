"""Additions: emoji, hashtags and sentences that have nothing to do with the text, before or after it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import cache
from typing import ClassVar, Final

import numpy as np
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.threats.text.perturbation import Perturbation
from windtunnel.threats.text.vocabulary import lines

EMOJI: Final = "📌📎📅📍📦📷📺📻💡📖🔑🚪🪑🚌🚲🏠🌳🍞☕🕐🎬🎧✏🔎"
"""Emoji of things; faces, hands and hearts would say what somebody thinks."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Additions(Perturbation):
    """Base of the perturbations that add as many things as the severity says; those of a lower severity come first."""

    keeps_digits: ClassVar[bool] = True
    keeps_words: ClassVar[bool] = False
    keeps_negations: ClassVar[bool] = True
    before: ClassVar[bool] = False
    """Whether they stand before the text."""

    @abstractmethod
    def choices(self) -> Sequence[str]:
        """What may be added."""

    def rewrite(self, text: str, severity: int, draw: np.random.Generator) -> str:
        """The text with things added, each after a space; no thing twice."""
        choices = self.choices()
        added = [choices[row] for row in draw.permutation(len(choices))[:severity].tolist()]
        return " ".join([*added, text] if self.before else [text, *added])


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Emoji(Additions):
    """Emoji of things after the text.

    Source:
        Ours.
    """

    use: ClassVar[str] = "emoji"
    unit: ClassVar[str] = "emoji added"
    keeps_ascii: ClassVar[bool] = False

    def choices(self) -> Sequence[str]:
        """Emoji that are no opinion."""
        return EMOJI


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Hashtags(Additions):
    """Hashtags that say when, where or what, after the text.

    Source:
        Ours.
    """

    use: ClassVar[str] = "hashtags"
    unit: ClassVar[str] = "hashtags added"
    keeps_ascii: ClassVar[bool] = True

    def choices(self) -> Sequence[str]:
        """Hashtags that are no opinion."""
        return hashtags()


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DistractorsBefore(Additions):
    """Neutral sentences about something else before the text.

    Source:
        Jia and Liang 2017, arXiv 1707.07328, for the idea; the sentences are ours.
    """

    use: ClassVar[str] = "distractors-before"
    unit: ClassVar[str] = "sentences added"
    keeps_ascii: ClassVar[bool] = True
    before: ClassVar[bool] = True

    def choices(self) -> Sequence[str]:
        """Sentences that judge nothing."""
        return lines("distractors")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DistractorsAfter(Additions):
    """Neutral sentences about something else after the text.

    Source:
        Jia and Liang 2017, arXiv 1707.07328, for the idea; the sentences are ours.
    """

    use: ClassVar[str] = "distractors-after"
    unit: ClassVar[str] = "sentences added"
    keeps_ascii: ClassVar[bool] = True

    def choices(self) -> Sequence[str]:
        """Sentences that judge nothing."""
        return lines("distractors")


@cache
def hashtags() -> tuple[str, ...]:
    """All of the word list."""
    return tuple(f"#{word}" for line in lines("hashtags") for word in line.split())
