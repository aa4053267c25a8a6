"""Clean: the inputs as they are; what every other threat is compared with."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT
from windtunnel.core.threat import Family, Threat
from windtunnel.core.victim import Victim

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Clean(Threat):
    """No change at all."""

    use: ClassVar[str] = "clean"
    version: ClassVar[int] = 2
    family: ClassVar[Family] = "clean"
    adaptive: ClassVar[bool] = False
    libraries: ClassVar[tuple[str, ...]] = ("torch",)

    @property
    def levels(self) -> tuple[Fraction, ...]:
        """The one level 0."""
        return (Fraction(0),)

    def passes(self) -> float:
        """Nothing beyond the evaluation itself."""
        return 0

    def perturb(self, victim: Victim, batch: Batch, level: Fraction, seed: int) -> Tensor:
        """The inputs."""
        return batch.inputs
