"""Keeping the best epoch on the validation split, or the last one."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.part import Fitting, Perturbation, Score, Selection


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Best(Selection):
    """The epoch with the highest accuracy on the validation split; under the training threat, where the recipe trains against one.

    Source:
        Robust accuracy overfits, so that epochs of adversarial training are told apart by it: Rice et al. 2020, arXiv 2002.11569.
    """

    use: ClassVar[str] = "best"

    def begin(self, fitting: Fitting, perturbation: Perturbation | None) -> Callable[[], Score]:
        """Accuracy, and that under the threat that the perturbation names."""
        from windtunnel.recipes.judging import accuracy, robust_accuracy

        threat = perturbation.judged_under() if perturbation is not None else None
        return lambda: Score(accuracy(fitting), None if threat is None else robust_accuracy(fitting, [threat]))


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Accurate(Selection):
    """The epoch with the highest plain accuracy on the validation split, whatever the recipe trains against."""

    use: ClassVar[str] = "accurate"

    def begin(self, fitting: Fitting, perturbation: Perturbation | None) -> Callable[[], Score]:
        """Accuracy alone."""
        from windtunnel.recipes.judging import accuracy

        return lambda: Score(accuracy(fitting))


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Last(Selection):
    """The last epoch, whatever the validation figures."""

    use: ClassVar[str] = "last"

    @property
    def last(self) -> bool:
        """Yes."""
        return True

    def begin(self, fitting: Fitting, perturbation: Perturbation | None) -> Callable[[], Score]:
        """Accuracy, for the curves."""
        from windtunnel.recipes.judging import accuracy

        return lambda: Score(accuracy(fitting))
