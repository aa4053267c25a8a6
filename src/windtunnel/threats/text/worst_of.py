"""The worst of several draws of a perturbation, found by asking the victim."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field
from pydantic.dataclasses import dataclass

from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT
from windtunnel.core.modality import TEXT
from windtunnel.core.texts import Texts
from windtunnel.core.threat import Family, Threat
from windtunnel.core.victim import Victim
from windtunnel.errors import UnknownNameError
from windtunnel.threats.severities import Severities
from windtunnel.threats.text.perturb import load


def _known(name: str) -> str:
    try:
        load(name)
    except UnknownNameError as error:
        raise ValueError(str(error)) from None
    return name


@dataclass(frozen=True, kw_only=True, config=STRICT)
class WorstOf(Threat[Texts]):
    """The worst of several independent draws of a perturbation: a sample stands if it stands under all of them.

    The first draw is the perturbation's own, so what it breaks by itself is broken here, too. The draws are chosen by the victim's
    answers, which makes this an attack, if a weak one: its questions are counted, and it is shown as "NAME, worst of DRAWS".

    Args:
        of: name of a perturbation, e.g. "keyboard-typos".
        draws: how many, at each severity.
        severities: from 1 to 5; a sample broken at one counts as broken at every higher one.
    """

    use: ClassVar[str] = "worst-of"
    family: ClassVar[Family] = "attack"
    adaptive: ClassVar[bool] = True
    black_box: ClassVar[bool] = True
    modality: ClassVar[str] = TEXT
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "torch")

    of: Annotated[str, AfterValidator(_known)]
    draws: Annotated[int, Field(ge=2)] = 4
    severities: Severities = (1, 2, 3, 4, 5)

    @property
    def levels(self) -> tuple[Fraction, ...]:
        """The severities."""
        return tuple(Fraction(severity) for severity in self.severities)

    @property
    def title(self) -> str:
        """The perturbation with the number of draws."""
        return f"{self.of}, worst of {self.draws}"

    def passes(self) -> float:
        """One question for each draw but the last, which the evaluation asks about in any case."""
        return float(self.draws - 1)

    def perturb(self, victim: Victim, batch: Batch[Texts], level: Fraction, seed: int) -> Texts:
        """The first draw under which the victim errs; the last one where it never does."""
        perturbation, severity = load(self.of)(), int(level)
        found = perturbation.rewritten(batch.inputs, batch.ids, severity, seed)
        standing = list(range(len(batch)))
        for number in range(1, self.draws):
            answers = victim.logits(found[standing]).argmax(1).tolist()
            standing = [row for row, answer in zip(standing, answers, strict=True) if answer == int(batch.labels[row])]
            if not standing:
                break
            ids = [batch.ids[row] for row in standing]
            found = found.put(standing, perturbation.rewritten(batch.inputs[standing], ids, severity, seed, number))
        return found
