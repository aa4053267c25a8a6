"""Fast adversarial training: one step of the gradient's sign from a random start."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.builtins import THREATS
from windtunnel.core.configured import STRICT, Radius
from windtunnel.core.modality import IMAGE
from windtunnel.core.part import Fitting, Hooks
from windtunnel.core.threat import Threat
from windtunnel.errors import RecipeError
from windtunnel.recipes.perturbation.adversarial import Adversarial
from windtunnel.recipes.perturbation.opposed import Judged, pgd


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Fast(Judged):
    """Minimise the loss on images that one gradient step from a random start within a ball in Linf has perturbed.

    Args:
        eps: radius in input units, where inputs lie in [0, 1].
        step: length of the step; 1.25 eps if left out.
        judge: the threat under which an epoch is judged; pgd of 10 steps of eps / 4 if left out.
    Raises:
        RecipeError: eps or step 0.
    Source:
        Wong et al. 2020, arXiv 2001.03994, section 4, algorithm 3 (alpha 1.25 eps). Deviation: robust accuracy can collapse within an epoch
        while the training attack no longer finds anything; epochs are judged under PGD and the best one is kept, where the paper stops early
        by the same sign.
    """

    use: ClassVar[str] = "fgsm-rs"
    modality: ClassVar[str] = IMAGE

    eps: Radius = Fraction(8, 255)
    step: Radius | None = None

    def __post_init__(self) -> None:
        if not self.eps or self.step == 0:
            raise RecipeError("Training against a step of no size is training on clean inputs; give fgsm-rs an eps and a step above 0.")
        super().__post_init__()

    @property
    def threat(self) -> Threat[Any]:
        """The step, as a threat."""
        kind: Any = THREATS.load("pgd")
        length = self.step or self.eps * 5 / 4
        made: Threat[Any] = kind(norm="Linf", eps=(self.eps,), steps=1, step=length, random_start=True, stop_when_broken=False)
        return made

    def passes(self) -> float:
        """Those of the step."""
        return self.threat.passes()

    def judged_under(self) -> Threat[Any]:
        """The judge, or pgd."""
        return self.judge or pgd("Linf", self.eps, steps=10, step=self.eps / 4)

    def begin(self, fitting: Fitting) -> Hooks:
        """Perturbing each minibatch."""
        return Adversarial(threat=self.threat).begin(fitting)
