"""Imbalance: some classes have many samples, others few."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.condition import Condition, Labels, shuffled_classes
from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Dataset
from windtunnel.errors import DataError

_SLACK = 1e-9
"""Room for the rounding of a product that is a whole number."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Imbalance(Condition):
    """Samples are left out until the first class has `ratio` times as many as the last, in the order of the classes.

    As many are kept as the data allows: all of the first class, where no other has too few for its share. What a class keeps is rounded
    down.

    Args:
        ratio: samples of the largest class for each of the smallest, at least 1.
        profile: "exponential": from class to class by the same factor (a long tail); "step": the second half of the classes has
            1 / `ratio` of the first.
    Source:
        Cui et al. 2019, arXiv 1901.05555, section 5 (long-tailed CIFAR); Cao et al. 2019, arXiv 1906.07413, section 4 (both profiles,
        ratios 10 and 100). Deviation: they keep the validation set balanced, which is their test set.
    """

    use: ClassVar[str] = "imbalance"

    ratio: Annotated[float, Field(ge=1)] = 100.0
    profile: Literal["exponential", "step"] = "exponential"

    @property
    def title(self) -> str:
        """Ratio, and profile where it is not exponential."""
        return f"{self.use} {self.ratio:g}" + ("" if self.profile == "exponential" else f", {self.profile}")

    def counts(self, available: tuple[int, ...]) -> tuple[int, ...]:
        """Samples that each class keeps of those available."""
        last = len(available) - 1
        if self.profile == "step":
            shares = [1.0 if 2 * place <= last else 1 / self.ratio for place in range(last + 1)]
        else:
            shares = [self.ratio ** (-place / max(1, last)) for place in range(last + 1)]
        most = min((found / share for found, share in zip(available, shares, strict=True) if found), default=0.0)
        return tuple(min(found, int(most * share + _SLACK)) for found, share in zip(available, shares, strict=True))

    def check(self, labels: Labels, classes: tuple[str, ...]) -> None:
        """Every class must keep a sample; see `Condition`."""
        available = _available(labels, len(classes))
        kept = self.counts(available)
        if min(kept) < 1:
            place = kept.index(min(kept))
            raise DataError(
                f"{self.title} leaves no sample of the class {classes[place]!r}, which has {available[place]} beside {max(available)} of the "
                "largest. Ask for a smaller ratio, or train on more data."
            )

    def kept(self, labels: Labels) -> int:
        """All that is kept."""
        return sum(self.counts(_available(labels, int(labels.max(initial=0)) + 1)))

    def change(self, data: Dataset, seed: int) -> Dataset:
        """The samples that are kept, in their order; see `Condition`."""
        counts = self.counts(_available(data.labels, len(data.classes)))
        rows = [row for label, found in shuffled_classes(data, self.use, seed).items() for row in found[: counts[label]]]
        return data.take(sorted(rows))


def _available(labels: Labels, classes: int) -> tuple[int, ...]:
    return tuple(np.bincount(labels, minlength=classes).tolist())
