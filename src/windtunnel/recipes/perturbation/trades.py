"""TRADES: accuracy on clean inputs, and predictions that stay as they are around them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT, Radius
from windtunnel.core.modality import IMAGE
from windtunnel.core.part import Answer, Fitting, Hooks, Minibatch
from windtunnel.core.threat import Threat
from windtunnel.errors import RecipeError
from windtunnel.recipes.arguments import Count, Rate, Weight
from windtunnel.recipes.parts import MaybeThreat
from windtunnel.recipes.perturbation.opposed import Judged, found_by, inputs_of, pgd

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Trades(Judged):
    """The loss on clean inputs, and `beta` times the divergence of the predictions on perturbed inputs from those on clean ones.

    The perturbed inputs are those at which that divergence, KL(clean || perturbed), is largest.

    Args:
        beta: weight of the divergence, the paper's 1 / lambda; 0 trains on clean inputs alone.
        norm: "Linf" or "L2".
        eps: radius in input units, where inputs lie in [0, 1].
        steps: gradient steps of the search.
        step: length of one in the same units.
        noise: standard deviation of the start around the clean input, where the divergence itself has no slope.
        threat: another one that perturbs in the place of that search.
        judge: the threat under which an epoch is judged; pgd of as many steps, or `threat`, if left out.
    Raises:
        RecipeError: eps 0, or a threat that changes nothing.
    Source:
        Zhang et al. 2019, arXiv 1901.08573, section 4.2 (equation 5, algorithm 1) and section 5.3.1; start and steps as in its code
        (yaodongyu/TRADES, trades.py).
    Deviation:
        The perturbed inputs have batch statistics of their own, as published; the clean ones go through the network once and not twice.
    """

    use: ClassVar[str] = "trades"

    beta: Weight = 6.0
    norm: Literal["Linf", "L2"] = "Linf"
    eps: Radius = Fraction(8, 255)
    steps: Count = 10
    step: Radius = Fraction(2, 255)
    noise: Rate = 0.001
    threat: MaybeThreat = None

    def __post_init__(self) -> None:
        if not self.eps or not self.step:
            raise RecipeError(f"TRADES with eps {self.eps} and step {self.step} changes nothing; give both a size above 0, or `beta: 0`.")
        super().__post_init__()

    @property
    def modalities(self) -> tuple[str, ...]:
        """Images, or what another threat changes."""
        return (IMAGE,) if self.threat is None else inputs_of(self.threat)

    def passes(self) -> float:
        """The search, and forward and backward on what it finds."""
        return 0.0 if not self.beta else 2.0 + (2.0 * self.steps + 1 if self.threat is None else self.threat.passes())

    def judged_under(self) -> Threat[Any]:
        """The judge, the other threat, or pgd."""
        return self.judge or self.threat or pgd(self.norm, self.eps, steps=self.steps, step=self.step)

    def begin(self, fitting: Fitting) -> Hooks:
        """Perturbed inputs beside each minibatch, and the divergence."""
        return _Steady(self, fitting) if self.beta else Hooks()


class _Steady(Hooks):
    def __init__(self, settings: Trades, fitting: Fitting) -> None:
        self.settings, self.fitting = settings, fitting

    def perturb(self, minibatch: Minibatch) -> Minibatch:
        from windtunnel.recipes.perturbation.ascent import most_divergent

        threat = self.settings.threat
        found = most_divergent(self.settings, self.fitting, minibatch) if threat is None else found_by(threat, self.fitting, minibatch)
        return replace(minibatch, perturbed=found)

    def penalty(self, minibatch: Minibatch, answer: Answer) -> Tensor:
        from windtunnel.recipes.divergence import kullback_leibler

        other = self.fitting.answer(replace(minibatch, inputs=minibatch.perturbed, perturbed=None, views=()))
        return self.settings.beta * kullback_leibler(answer.logits, other.logits).mean()
