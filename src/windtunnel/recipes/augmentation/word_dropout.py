"""Word dropout: leave words out at random."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import ClassVar, Final

import numpy as np
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.modality import TEXT
from windtunnel.core.part import Augmentation, Fitting, Hooks, Minibatch
from windtunnel.recipes.arguments import Chance

_WORD: Final = re.compile(r"\S+\s*")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class WordDropout(Augmentation):
    """Each word of a text, as white space parts them, is left out with a chance; one word always stays.

    Args:
        p: the chance.
    Source:
        Iyyer et al. 2015, ACL Anthology P15-1162, section 3.1, where 0.3 does best.
    """

    use: ClassVar[str] = "word-dropout"
    modality: ClassVar[str] = TEXT

    p: Chance = 0.3

    def begin(self, fitting: Fitting) -> Hooks:
        """Leaving words out."""
        return _Thinned(self.p, fitting)


class _Thinned(Hooks):
    def __init__(self, p: float, fitting: Fitting) -> None:
        self.p, self.fitting = p, fitting

    def augment(self, minibatch: Minibatch) -> Minibatch:
        draws = self.fitting.draws("word-dropout", minibatch.ids)
        return replace(minibatch, inputs=minibatch.inputs.rewrite(lambda row, text: thinned(text, self.p, draws[row])))


def thinned(text: str, p: float, random: np.random.Generator) -> str:
    """A text without some of its words, each with the white space after it."""
    words = _WORD.findall(text)
    if not words:
        return text
    start = text[: len(text) - sum(map(len, words))]
    numbers = random.random(len(words))
    stays = numbers >= p
    if not stays.any():
        stays[numbers.argmax()] = True
    kept = "".join(word for word, stay in zip(words, stays, strict=True) if stay)
    return start + (kept if stays[-1] else kept.rstrip())
