"""Attacks made to transfer: steps with momentum on a surrogate, and four ways to keep them from fitting it too closely."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, PositiveInt
from pydantic.dataclasses import dataclass

from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT, Radii, Radius
from windtunnel.core.victim import Victim
from windtunnel.threats.attack import Attack

if TYPE_CHECKING:
    from torch import Tensor

Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class MIFGSM(Attack):
    """Momentum iterative FGSM on a surrogate; the victim itself is only asked for its verdict.

    Args:
        norm: "Linf".
        eps: radius in input units, where inputs lie in [0, 1]; several make one curve.
        surrogate: whose gradients are followed, as "MODEL + RECIPE", both as the suite names them; trained with the victim's seed.
            If left out, the victim itself, which makes this a white-box attack.
        steps: gradient steps.
        step: length of one step in the same units; eps / steps if left out.
        momentum: share of the gathered gradient that each step keeps.
    Source:
        Dong et al. 2018, arXiv 1710.06081, algorithm 1 (10 steps of eps / 10, momentum 1).
    """

    use: ClassVar[str] = "mi-fgsm"
    nesterov: ClassVar[bool] = False

    norm: Literal["Linf"] = "Linf"
    eps: Radii = (Fraction(16, 255),)
    surrogate: str | None = None
    steps: PositiveInt = 10
    step: Radius | None = None
    momentum: Annotated[float, Field(ge=0)] = 1.0

    @property
    def follows(self) -> str | None:
        """The surrogate."""
        return self.surrogate

    @property
    def copies(self) -> int:
        """Gradients averaged in each step."""
        return 1

    def passes(self) -> float:
        """Forward and backward in every step."""
        return 2.0 * self.steps * self.copies

    def perturb(self, victim: Victim, batch: Batch, level: Fraction, seed: int) -> Tensor:
        """The last iterate; `victim` is the surrogate where there is one."""
        from windtunnel.threats.gradient.momentum import climb

        step = float(self.step) if self.step is not None else float(level) / self.steps
        return climb(victim, batch, self, eps=float(level), step=step, seed=seed)

    def views(self, points: Tensor, seed: int, step: int, ids: tuple[str, ...]) -> list[Tensor]:
        """What the surrogate is shown instead of the points, differentiably."""
        return [points]

    def smoothed(self, gradient: Tensor) -> Tensor:
        """What the gradient is turned into before it is gathered."""
        return gradient


@dataclass(frozen=True, kw_only=True, config=STRICT)
class NIFGSM(MIFGSM):
    """Nesterov iterative FGSM on a surrogate: the gradient is taken where the momentum leads.

    Args:
        norm: "Linf".
        eps: radius in input units, where inputs lie in [0, 1]; several make one curve.
        surrogate: whose gradients are followed, as "MODEL + RECIPE", both as the suite names them; the victim itself if left out.
        steps: gradient steps.
        step: length of one step in the same units; eps / steps if left out.
        momentum: share of the gathered gradient that each step keeps.
    Source:
        Lin et al. 2020, arXiv 1908.06281, section 3.1 (10 steps, momentum 1).
    """

    use: ClassVar[str] = "ni-fgsm"
    nesterov: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DIFGSM(MIFGSM):
    """Diverse-input FGSM on a surrogate: each step sees the points resized and padded at random.

    Args:
        norm: "Linf".
        eps: radius in input units, where inputs lie in [0, 1]; several make one curve.
        surrogate: whose gradients are followed, as "MODEL + RECIPE", both as the suite names them; the victim itself if left out.
        steps: gradient steps.
        step: length of one step in the same units; eps / steps if left out.
        momentum: share of the gathered gradient that each step keeps (the paper's M-DI2-FGSM; 0 for its DI2-FGSM).
        probability: of a changed view in each step.
        smallest: the least share of the side to which a view shrinks.
    Source:
        Xie et al. 2019, arXiv 1803.06978, section 3.3 (probability 0.5).
    Deviation:
        The paper enlarges 299 to 330 pixels and pads; here views shrink instead by as much (0.9), bilinearly, so that the
        surrogate's input size stays.
    """

    use: ClassVar[str] = "di-fgsm"

    probability: Share = 0.5
    smallest: Annotated[float, Field(gt=0, le=1)] = 0.9

    def views(self, points: Tensor, seed: int, step: int, ids: tuple[str, ...]) -> list[Tensor]:
        """One view, drawn by sample and step."""
        from windtunnel.threats.gradient.momentum import diverse

        return [diverse(points, seed, f"{self.use}/{step}", ids, self.probability, self.smallest)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TIFGSM(MIFGSM):
    """Translation-invariant FGSM on a surrogate: gradients are smoothed, as if the points had been shown shifted.

    Args:
        norm: "Linf".
        eps: radius in input units, where inputs lie in [0, 1]; several make one curve.
        surrogate: whose gradients are followed, as "MODEL + RECIPE", both as the suite names them; the victim itself if left out.
        steps: gradient steps.
        step: length of one step in the same units; eps / steps if left out.
        momentum: share of the gathered gradient that each step keeps (the paper's TI-MI-FGSM; 0 for its TI-FGSM).
        kernel: side of the Gaussian kernel in pixels, odd; it ends at three standard deviations.
    Source:
        Dong et al. 2019, arXiv 1904.02884, section 3.2 (15 pixels for images of 299; the Gaussian ends at three standard deviations).
    """

    use: ClassVar[str] = "ti-fgsm"

    kernel: PositiveInt = 15

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kernel % 2 == 0:
            raise ValueError(f"ti-fgsm: a kernel of {self.kernel} pixels has no middle; give an odd side, e.g. {self.kernel + 1}.")

    def smoothed(self, gradient: Tensor) -> Tensor:
        """Convolved with a Gaussian."""
        from windtunnel.threats.gradient.momentum import blurred

        return blurred(gradient, self.kernel)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SINIFGSM(MIFGSM):
    """Scale-invariant Nesterov FGSM on a surrogate: gradients are averaged over darker and darker copies.

    Args:
        norm: "Linf".
        eps: radius in input units, where inputs lie in [0, 1]; several make one curve.
        surrogate: whose gradients are followed, as "MODEL + RECIPE", both as the suite names them; the victim itself if left out.
        steps: gradient steps.
        step: length of one step in the same units; eps / steps if left out.
        momentum: share of the gathered gradient that each step keeps.
        scales: copies, each half as bright as the one before.
    Source:
        Lin et al. 2020, arXiv 1908.06281, algorithm 1 (5 copies).
    """

    use: ClassVar[str] = "si-ni-fgsm"
    nesterov: ClassVar[bool] = True

    scales: PositiveInt = 5

    @property
    def copies(self) -> int:
        """The scales."""
        return self.scales

    def views(self, points: Tensor, seed: int, step: int, ids: tuple[str, ...]) -> list[Tensor]:
        """The copies."""
        return [points / 2**scale for scale in range(self.scales)]
