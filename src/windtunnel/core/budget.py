"""Budget: how far an adaptive threat may move an input, and what it may spend."""

from __future__ import annotations

from dataclasses import field
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, get_args

from pydantic.dataclasses import dataclass

from windtunnel.core.canonical import fraction_text
from windtunnel.core.configured import STRICT, Radius
from windtunnel.errors import BudgetError

if TYPE_CHECKING:
    from torch import Tensor

Norm = Literal["Linf", "L2", "L1", "L0"]
NORMS: tuple[str, ...] = get_args(Norm)

# Float32 rounding of x + delta for x in [0, 1] is below 6e-8; sums over many pixels accumulate it.
ROUNDING = 1e-6


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Budget:
    """A norm ball in input space, where inputs lie in [0, 1], and limits on effort.

    Args:
        norm: "Linf", "L2", "L1" or "L0", over all channels and pixels of one sample.
        eps: radius, exact; "8/255" and Fraction(8, 255) are the same.
        steps: gradient steps, None for the threat's default.
        queries: black-box queries a sample, None for the threat's default.
    Raises:
        BudgetError: an Linf radius above 1, which nothing in [0, 1] needs.
    """

    norm: Norm = "Linf"
    eps: Radius = field(default=Fraction(8, 255))
    steps: int | None = None
    queries: int | None = None

    def __post_init__(self) -> None:
        check_radius(self.norm, self.eps)

    def distances(self, inputs: Tensor, perturbed: Tensor) -> Tensor:
        """The norm of each sample's change, float64, shape (batch,)."""
        return distances(self.norm, inputs, perturbed)

    def __str__(self) -> str:
        return f"{self.norm} {fraction_text(self.eps)}"


def check_radius(norm: str, eps: Fraction) -> None:
    """Refuse a radius that was surely meant in other units.

    Raises:
        BudgetError: an Linf radius above 1.
    """
    if norm == "Linf" and eps > 1:
        meant = f' Did you mean "{eps}/255"?' if eps.denominator == 1 and eps <= 255 else ""
        raise BudgetError(f"An Linf radius of {eps} is larger than the whole input range [0, 1].{meant}")


def distances(norm: str, inputs: Tensor, perturbed: Tensor) -> Tensor:
    """The norm of each sample's change.

    Shapes:
        inputs, perturbed (batch, ...); returns (batch,) float64.
    """
    change = (perturbed.detach().double() - inputs.detach().double()).flatten(1).abs()
    if norm == "Linf":
        return change.amax(1)
    if norm == "L2":
        return change.square().sum(1).sqrt()
    if norm == "L1":
        return change.sum(1)
    return (change > 0).double().sum(1)


def tolerance(norm: str, eps: float, size: int) -> float:
    """How far float32 rounding alone may carry a sample of `size` values beyond a radius of `eps`."""
    if norm == "L0":
        return 0.0
    spread = {"Linf": 1.0, "L2": float(size) ** 0.5, "L1": float(size)}[norm]
    return ROUNDING * max(1.0, eps) if norm == "Linf" else ROUNDING * eps + 6e-8 * spread
