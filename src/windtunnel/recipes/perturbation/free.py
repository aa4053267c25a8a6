"""Free adversarial training: one backward pass gives the step of the weights and that of the perturbation."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT, Radius
from windtunnel.core.modality import IMAGE
from windtunnel.core.part import Fitting, Hooks, Minibatch
from windtunnel.core.threat import Threat
from windtunnel.errors import RecipeError
from windtunnel.recipes.arguments import Count
from windtunnel.recipes.perturbation.opposed import Judged, pgd

NAME = "free-at"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Free(Judged):
    """Each minibatch is trained on several times in a row while its perturbation climbs by the same gradients; the next one goes on with it.

    The epochs are as many times fewer, so that a training takes the passes of an ordinary one.

    Args:
        replays: steps on each minibatch.
        eps: radius in Linf, in input units, where inputs lie in [0, 1]; also the length of a step.
        judge: the threat under which an epoch is judged; pgd of 20 steps of eps / 4 if left out.
    Raises:
        RecipeError: eps 0.
    Source:
        Shafahi et al. 2019, arXiv 1904.12843, algorithm 1; 8 replays as its section 5 takes for CIFAR-10. Judged as its robustness is measured
        there, by pgd of 20 steps of 2/255 at 8/255.
    """

    use: ClassVar[str] = NAME
    modality: ClassVar[str] = IMAGE

    replays: Count = 8
    eps: Radius = Fraction(8, 255)

    def __post_init__(self) -> None:
        if not self.eps:
            raise RecipeError("Free adversarial training with eps 0 is training on clean inputs; give it an eps above 0.")
        super().__post_init__()

    def judged_under(self) -> Threat[Any]:
        """The judge, or pgd."""
        return self.judge or pgd("Linf", self.eps, steps=20, step=self.eps / 4)

    def begin(self, fitting: Fitting) -> Hooks:
        """The perturbation that goes from minibatch to minibatch."""
        return _Kept(float(self.eps), fitting)


class _Kept(Hooks):
    """The perturbation lives in `fitting.state`, a row for each place of a minibatch, of which the first of an epoch is the largest."""

    def __init__(self, eps: float, fitting: Fitting) -> None:
        self.eps, self.fitting = eps, fitting

    def perturb(self, minibatch: Minibatch) -> Minibatch:
        import torch

        kept = self.fitting.state.setdefault(NAME, torch.zeros_like(minibatch.inputs))[: len(minibatch)]
        self.clean = minibatch.inputs
        self.inputs = (self.clean + kept).clamp(0, 1).requires_grad_()
        return replace(minibatch, inputs=self.inputs, clean=self.clean)

    def stepped(self) -> None:
        import torch

        kept = self.fitting.state[NAME][: len(self.inputs)]
        slope, self.inputs.grad = self.inputs.grad, None
        with torch.no_grad():
            # Where the sum was cut to [0, 1] it has no slope.
            inside = self.clean + kept == self.inputs
            kept.add_(self.eps * torch.where(inside, slope, 0).sign()).clamp_(-self.eps, self.eps)
