"""TextAttack: an adaptive threat to texts, held to a share of their words."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT, Radii
from windtunnel.core.modality import TEXT
from windtunnel.core.texts import Texts
from windtunnel.core.threat import Family, Threat
from windtunnel.errors import BudgetError

ASKED = 64
"""Texts that a victim is asked about at once; a property of the cell, so that who computes it changes nothing."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TextAttack(Threat[Texts]):
    """Base of the attacks on texts.

    Args:
        words: largest share of a text's words that may be replaced, added or left out, rounded up to whole words; several make one curve.
    Raises:
        BudgetError: a share above 1.
    """

    family: ClassVar[Family] = "attack"
    adaptive: ClassVar[bool] = True
    modality: ClassVar[str] = TEXT
    black_box: ClassVar[bool] = True

    words: Radii = (Fraction(1),)

    def __post_init__(self) -> None:
        if self.words[-1] > 1:
            raise BudgetError(f"{self.use} may not change a share of {self.words[-1]} of the words; give a share of at most 1, e.g. 1/5.")

    @property
    def levels(self) -> tuple[Fraction, ...]:
        """The shares of words."""
        return self.words


def allowed(share: Fraction, row: tuple[str, ...]) -> int:
    """How many words of a text, parted by white space, may change."""
    return math.ceil(share * sum(len(text.split()) for text in row))
