"""Clean: the inputs as they are; what every other threat is compared with."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT
from windtunnel.core.modality import ANY
from windtunnel.core.threat import Family, Threat
from windtunnel.core.victim import Victim


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Clean(Threat[Any]):
    """No change at all."""

    use: ClassVar[str] = "clean"
    version: ClassVar[int] = 2
    family: ClassVar[Family] = "clean"
    adaptive: ClassVar[bool] = False
    modality: ClassVar[str] = ANY
    libraries: ClassVar[tuple[str, ...]] = ("torch",)

    @property
    def levels(self) -> tuple[Fraction, ...]:
        """The one level 0."""
        return (Fraction(0),)

    def passes(self) -> float:
        """Nothing beyond the evaluation itself."""
        return 0

    def perturb(self, victim: Victim, batch: Batch[Any], level: Fraction, seed: int) -> Any:
        """The inputs."""
        return batch.inputs
