"""Perturbation: a blind threat to texts, in severities from 1 to 5."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from fractions import Fraction
from typing import ClassVar, Final

import numpy as np
from pydantic.dataclasses import dataclass

from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT
from windtunnel.core.modality import TEXT
from windtunnel.core.texts import Texts
from windtunnel.core.threat import Family, Threat
from windtunnel.core.victim import Victim
from windtunnel.seeding import generators
from windtunnel.threats.severities import Severities


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Perturbation(Threat[Texts]):
    """Base of the text perturbations; a concrete one writes `rewrite` and declares what it leaves as it was.

    Draws are keyed by (seed, perturbation, sample id) and are the same at every severity. Nothing is changed that a reader would
    answer otherwise for, so labels are kept. A text without a place to change comes back as it was, and no text becomes empty.

    Args:
        severities: from 1 to 5.
    """

    family: ClassVar[Family] = "corruption"
    adaptive: ClassVar[bool] = False
    modality: ClassVar[str] = TEXT
    libraries: ClassVar[tuple[str, ...]] = ("numpy",)

    unit: ClassVar[str]
    """What its severity is a share or a number of, in the plural: "letters", "sentences added"."""
    percent: ClassVar[tuple[int, ...]] = ()
    """Per cent of the unit that changes at each severity, rounded up; empty where the severity is the number of changes."""
    keeps_digits: ClassVar[bool]
    """The decimal digits of the text stay, all in their order, and no others come in."""
    keeps_words: ClassVar[bool]
    """As many words between white space as before."""
    keeps_ascii: ClassVar[bool]
    """A text in ASCII stays in ASCII."""
    keeps_negations: ClassVar[bool]
    """All negations stay, in their order, and no others come in."""

    severities: Severities = (1, 2, 3, 4, 5)

    @property
    def levels(self) -> tuple[Fraction, ...]:
        """The severities."""
        return tuple(Fraction(severity) for severity in self.severities)

    def passes(self) -> float:
        """Nothing beyond the evaluation itself."""
        return 0

    @abstractmethod
    def rewrite(self, text: str, severity: int, draw: np.random.Generator) -> str:
        """The perturbed text.

        Args:
            text: valid Unicode, not empty.
            severity: 1 to 5.
            draw: the sample's own generator; how much is drawn from it must not depend on the severity.
        """

    def rewritten(self, texts: Texts, ids: Sequence[str], severity: int, seed: int, number: int = 0) -> Texts:
        """Texts with their open fields perturbed; other fields and empty ones are as they were.

        Args:
            texts: a row for each id.
            severity: 1 to 5.
            seed: keys the draws, with the name and each id.
            number: of several independent draws; the threat itself takes number 0.
        """
        draws = generators(seed, f"{self.use} {number}" if number else self.use, ids)
        return texts.rewrite(lambda row, text: self.rewrite(valid(text), severity, draws[row]) if text else text)

    def perturb(self, victim: Victim, batch: Batch[Texts], level: Fraction, seed: int) -> Texts:
        """Perturbed texts."""
        return self.rewritten(batch.inputs, batch.ids, int(level), seed)


_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def valid(text: str) -> str:
    """A text as Unicode can store it: halves of surrogate pairs are joined, and those without their other half replaced by U+FFFD."""
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
