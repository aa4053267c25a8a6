"""Adversarial training: every step trains on what a threat of the table finds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT
from windtunnel.core.modality import ANY, IMAGE, TEXT
from windtunnel.core.part import Fitting, Hooks, Minibatch, Perturbation
from windtunnel.core.threat import Threat
from windtunnel.errors import RecipeError
from windtunnel.recipes.parts import OneThreat


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Adversarial(Perturbation):
    """Minimise the loss on the perturbed samples of each batch; any threat of the table can be the one that perturbs, at its largest level.

    Args:
        threat: what perturbs; for PGD training pgd with `stop_when_broken: false`, so that it takes all steps.
    Raises:
        RecipeError: a threat that changes nothing.
    Source:
        Madry et al. 2018, arXiv 1706.06083, section 2. The threat runs with the network in evaluation mode, so that it changes no batch
        statistics.
    """

    use: ClassVar[str] = "adversarial"

    threat: OneThreat

    def __post_init__(self) -> None:
        refuse_no_change(self.threat)

    @property
    def modalities(self) -> tuple[str, ...]:
        """Those of the threat."""
        return (IMAGE, TEXT) if self.threat.modality == ANY else (self.threat.modality,)

    def passes(self) -> float:
        """Those of the threat."""
        return self.threat.passes()

    def judged_under(self) -> Threat[Any]:
        """The training threat."""
        return self.threat

    def begin(self, fitting: Fitting) -> Hooks:
        """Perturbing each minibatch."""
        return Perturbed(fitting, self.threat)


class Perturbed(Hooks):
    """Every minibatch is perturbed by a threat; what it was before stays in `clean`."""

    def __init__(self, fitting: Fitting, threat: Threat[Any]) -> None:
        self.fitting, self.threat = fitting, threat

    def perturb(self, minibatch: Minibatch) -> Minibatch:
        """The threat's answer, keyed by sample and epoch."""
        from windtunnel.recipes.judging import attacked

        batch: Batch[Any] = Batch(minibatch.inputs, minibatch.labels, minibatch.ids)
        found = attacked(self.fitting.network, self.threat, batch, self.fitting.number("adversarial"))
        return replace(minibatch, inputs=found, clean=minibatch.inputs)


def refuse_no_change(threat: Threat[Any]) -> None:
    """Refuse to train against a threat of no size.

    Raises:
        RecipeError: eps or severity 0, or a threat that changes nothing.
    """
    if not threat.levels or not threat.levels[-1]:
        raise RecipeError(f"Training against {threat.use} at level 0 is training on clean inputs; give it an eps or severity above 0.")
