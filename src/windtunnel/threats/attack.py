"""Attack: an adaptive threat, held to a norm ball of one or several radii."""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.budget import Norm, check_radius
from windtunnel.core.configured import STRICT, Radii
from windtunnel.core.threat import Family, Threat


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Attack(Threat):
    """Base of the attacks on images.

    Args:
        norm: in which changes are bounded.
        eps: radius in input units, where inputs lie in [0, 1]; several make one curve.
    Raises:
        BudgetError: a radius that was surely meant in other units.
    """

    family: ClassVar[Family] = "attack"
    adaptive: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "torch", "torchattacks")

    norm: Norm = "Linf"
    eps: Radii = (Fraction(8, 255),)

    def __post_init__(self) -> None:
        for radius in self.eps:
            check_radius(self.norm, radius)

    @property
    def levels(self) -> tuple[Fraction, ...]:
        """The radii."""
        return self.eps
