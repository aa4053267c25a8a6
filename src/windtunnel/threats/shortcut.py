"""Shortcut: the marks of the training condition of that name, on test samples of which they give nothing away."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, ClassVar

from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT
from windtunnel.core.modality import ANY
from windtunnel.core.outcome import Ints
from windtunnel.core.shortcut import MOST, grey, marked_groups, marked_texts, place, shown_classes
from windtunnel.core.texts import Texts
from windtunnel.core.threat import Family, Threat
from windtunnel.core.victim import Victim
from windtunnel.errors import DataError


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Shortcut(Threat[Any]):
    """Every sample carries a mark that stands for a class, as under the training condition `shortcut`: a square in a corner, or a word.

    Half of the marks agree with the label, unless `agreement` says otherwise; the others stand for another class, drawn uniformly. The
    samples belong to groups by label and by whether their mark agrees, and the report shows the accuracy of the worst of them.

    Args:
        classes: how many the data has.
        agreement: probability that the mark agrees with the label; 1 / classes makes the two independent.
        size: side of the square in pixels, as in training. On images only.
    Source:
        Sagawa et al. 2020, arXiv 1911.08731, appendix C.1: tests in which the groups of a label are equally large. Deviation: marks on any
        data; see the training condition.
    """

    use: ClassVar[str] = "shortcut"
    family: ClassVar[Family] = "corruption"
    adaptive: ClassVar[bool] = False
    modality: ClassVar[str] = ANY
    grouped: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ("numpy",)

    classes: Annotated[int, Field(ge=2, le=MOST)]
    agreement: Annotated[float, Field(ge=0, le=1)] = 0.5
    size: Annotated[int, Field(ge=1)] = 4

    @property
    def levels(self) -> tuple[Fraction, ...]:
        """The one level 1: marked."""
        return (Fraction(1),)

    def passes(self) -> float:
        """Nothing beyond the evaluation itself."""
        return 0

    def groups(self, labels: Ints, ids: tuple[str, ...], seed: int) -> Ints:
        """Label, and whether the mark agrees."""
        return marked_groups(labels, self._shown(labels, ids, seed))

    def perturb(self, victim: Victim, batch: Batch[Any], level: Fraction, seed: int) -> Any:
        """Marked inputs."""
        shown = self._shown(batch.labels.cpu().numpy(), batch.ids, seed)
        if isinstance(batch.inputs, Texts):
            return marked_texts(batch.inputs, shown)
        marked = batch.inputs.clone()
        height, width = marked.shape[2:]
        for image, which in zip(marked, shown.tolist(), strict=True):
            image[:, *place(which, height, width, self.size)] = grey(which) / 255
        return marked

    def _shown(self, labels: Ints, ids: tuple[str, ...], seed: int) -> Ints:
        if int(labels.max(initial=0)) >= self.classes:
            raise DataError(f"shortcut has marks for {self.classes} classes, and a sample is of class {labels.max()}; give `classes` of the data.")
        return shown_classes(labels, ids, self.classes, self.agreement, seed)
