"""Keeping the epoch that stands best against given threats on the validation split."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.modality import ANY, IMAGE, TEXT
from windtunnel.core.part import Fitting, Perturbation, Score, Selection
from windtunnel.core.threat import Threat
from windtunnel.errors import RecipeError
from windtunnel.recipes.parts import Threats


@dataclass(frozen=True, kw_only=True, config=STRICT)
class UnderThreats(Selection):
    """The epoch with the highest accuracy on the validation split under the worst of some threats, each at its largest level.

    A sample counts if it stands under all of them. A suite one of whose benchmarks has a threat of the same name refuses this: it would
    report on what it selected by.

    Args:
        threats: what epochs are judged under.
    Raises:
        RecipeError: no threats.
    """

    use: ClassVar[str] = "threats"

    threats: Threats

    def __post_init__(self) -> None:
        if not self.threats:
            raise RecipeError("threats is an empty list; name at least one threat to judge epochs by, or use `select: best`.")

    @property
    def modalities(self) -> tuple[str, ...]:
        """Those that all the threats can change."""
        return common_modalities(self.threats)

    def watched(self) -> Iterator[Threat[Any]]:
        """The threats."""
        yield from self.threats

    def begin(self, fitting: Fitting, perturbation: Perturbation | None) -> Callable[[], Score]:
        """Accuracy, and that under the threats, which decides."""
        from windtunnel.recipes.judging import accuracy, robust_accuracy

        return lambda: Score(accuracy(fitting), robust_accuracy(fitting, self.threats))


def common_modalities(threats: tuple[Threat[Any], ...]) -> tuple[str, ...]:
    """The inputs that all of some threats can change."""
    return tuple(each for each in (IMAGE, TEXT) if all(threat.modality in (each, ANY) for threat in threats))
