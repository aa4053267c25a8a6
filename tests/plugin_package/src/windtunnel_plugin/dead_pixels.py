"""Dead pixels: a share of the pixels is black in all channels."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT, Radii
from windtunnel.core.threat import Family, Threat
from windtunnel.seeding import generators

if TYPE_CHECKING:
    from torch import Tensor

    from windtunnel.core.batch import Batch
    from windtunnel.core.victim import Victim


def _shares(values: tuple[Fraction, ...]) -> tuple[Fraction, ...]:
    if values[-1] > 1:
        raise ValueError(f"a share of {values[-1]} is more than all pixels")
    return values


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DeadPixels(Threat):
    """Black out a random share of the pixels; which ones is drawn per sample.

    Args:
        shares: of all pixels, in (0, 1].
    """

    use: ClassVar[str] = "dead-pixels"
    family: ClassVar[Family] = "corruption"
    adaptive: ClassVar[bool] = False
    libraries: ClassVar[tuple[str, ...]] = ("numpy",)

    shares: Annotated[Radii, AfterValidator(_shares)] = (Fraction(1, 10),)

    @property
    def levels(self) -> tuple[Fraction, ...]:
        """The shares."""
        return self.shares

    def passes(self) -> float:
        """It never asks the victim."""
        return 0.0

    def perturb(self, victim: Victim, batch: Batch, level: Fraction, seed: int) -> Tensor:
        """Zero `level` of the pixels, rounded down."""
        import torch

        changed = batch.inputs.clone()
        _, _, height, width = changed.shape
        count = int(level * height * width)
        for row, draws in enumerate(generators(seed, self.use, batch.ids)):
            dead = torch.from_numpy(draws.permutation(height * width)[:count])
            changed[row].flatten(1)[:, dead] = 0
        return changed
