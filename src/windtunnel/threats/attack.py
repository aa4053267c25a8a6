"""Attack: an adaptive threat, held to a norm ball of one or several radii."""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.budget import Norm, check_radius
from windtunnel.core.configured import STRICT, Radii
from windtunnel.core.flag import Flag
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
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "torch")

    norm: Norm = "Linf"
    eps: Radii = (Fraction(8, 255),)

    def __post_init__(self) -> None:
        for radius in self.eps:
            check_radius(self.norm, radius)

    @property
    def levels(self) -> tuple[Fraction, ...]:
        """The radii."""
        return self.eps


def too_few_classes(use: str, loss: str, classes: int, *, targeted: bool = False) -> tuple[Flag, ...]:
    """A flag where the difference of logits ratio needs more classes than there are, so that the margin took its place."""
    least = 4 if targeted else 3
    if loss != "dlr" or classes >= least:
        return ()
    kind = "targeted DLR loss" if targeted else "DLR loss"
    return (Flag("too-few-classes", f"With {classes} classes the {kind} does not exist (it needs {least}): {use} used the margin instead."),)
