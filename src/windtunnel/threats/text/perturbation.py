"""Perturbation: a blind threat to texts, in severities from 1 to 5."""

from __future__ import annotations

import re
from abc import abstractmethod
from fractions import Fraction
from typing import ClassVar, Final

import numpy as np
from pydantic import PositiveInt
from pydantic.dataclasses import dataclass

from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT
from windtunnel.core.texts import Texts
from windtunnel.core.threat import Family, Threat
from windtunnel.core.victim import Victim
from windtunnel.seeding import generators
from windtunnel.threats.severities import Severities


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Perturbation(Threat):
    """Base of the text perturbations; a concrete one writes `rewrite` and declares what it leaves as it was.

    Draws are keyed by (seed, perturbation, field, sample id) and are the same at every severity. Labels are kept: nothing is changed
    that a reader would answer otherwise for. A text without a place to change comes back as it was, and no text becomes empty.

    With `draws` above 1 a sample meets that many independent draws at each severity, the first of them that of the plain
    perturbation, and what counts is one under which the victim errs. Such a threat is shown as "NAME, worst of DRAWS".

    Args:
        severities: from 1 to 5.
        draws: how many independent draws the victim faces; more than 1 counts the worst of them.
    """

    family: ClassVar[Family] = "corruption"
    adaptive: ClassVar[bool] = False
    modality: ClassVar[str] = "text"
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
    draws: PositiveInt = 1

    @property
    def levels(self) -> tuple[Fraction, ...]:
        """The severities."""
        return tuple(Fraction(severity) for severity in self.severities)

    @property
    def title(self) -> str:
        """The name, with the number of draws where their worst counts."""
        return self.use if self.draws == 1 else f"{self.use}, worst of {self.draws}"

    def passes(self) -> float:
        """One question for each draw but the last, which the evaluation itself asks."""
        return float(self.draws - 1)

    @abstractmethod
    def rewrite(self, text: str, severity: int, draw: np.random.Generator) -> str:
        """The perturbed text.

        Args:
            text: valid Unicode, not empty.
            severity: 1 to 5.
            draw: the text's own generator; what it gives must not depend on the severity.
        """

    def rewritten(self, texts: Texts, ids: tuple[str, ...], severity: int, seed: int, number: int = 0) -> Texts:
        """Texts with their open fields perturbed; other fields and empty ones are as they were.

        Args:
            texts: a row for each id.
            number: of the draw, among several independent ones.
        """
        rows = [list(row) for row in texts.rows]
        for name in texts.open:
            place = texts.fields.index(name)
            draws = generators(seed, f"{self.use} {name}" + (f" {number}" if number else ""), ids)
            for row, draw in zip(rows, draws, strict=True):
                row[place] = self.rewrite(valid(row[place]), severity, draw) if row[place] else ""
        return Texts(tuple(tuple(row) for row in rows), texts.fields, texts.open)

    def perturb(self, victim: Victim, batch: Batch, level: Fraction, seed: int) -> Texts:
        """Perturbed texts; with several draws the first under which the victim errs, or the last."""
        found = self.rewritten(batch.inputs, batch.ids, int(level), seed)
        standing = list(range(len(batch)))
        for number in range(1, self.draws):
            with victim.queried():
                answers = victim.logits(found.take(standing)).argmax(1).tolist()
            standing = [row for row, answer in zip(standing, answers, strict=True) if answer == int(batch.labels[row])]
            if not standing:
                break
            ids = tuple(batch.ids[row] for row in standing)
            found = found.put(standing, self.rewritten(batch.inputs.take(standing), ids, int(level), seed, number))
        return found


_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def valid(text: str) -> str:
    """A text as Unicode can store it: halves of surrogate pairs are joined, and those without their other half replaced by U+FFFD."""
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
