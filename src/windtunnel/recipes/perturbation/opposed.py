"""Opposed: the base of perturbations that ask a threat of the table for other inputs."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from pydantic.dataclasses import dataclass

from windtunnel.builtins import THREATS
from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT
from windtunnel.core.modality import ANY, IMAGE, TEXT
from windtunnel.core.part import Fitting, Minibatch, Perturbation
from windtunnel.core.threat import Threat
from windtunnel.errors import RecipeError
from windtunnel.recipes.parts import MaybeThreat, OneThreat

if TYPE_CHECKING:
    from windtunnel.core.batch import Rows


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Opposed(Perturbation):
    """Trains against a threat, at its largest level.

    Args:
        threat: what perturbs.
        judge: the threat under which an epoch is judged; the training threat if left out.
    Raises:
        RecipeError: a threat that changes nothing.
    """

    threat: OneThreat
    judge: MaybeThreat = None

    def __post_init__(self) -> None:
        for threat in (self.threat, self.judge):
            if threat is not None:
                refuse_no_change(threat)

    @property
    def modalities(self) -> tuple[str, ...]:
        """Those of the threat."""
        return inputs_of(self.threat)

    def passes(self) -> float:
        """Those of the threat."""
        return self.threat.passes()

    def require(self) -> None:
        """Those of the threats must be there."""
        for threat in (self.threat, self.judge):
            if threat is not None:
                threat.require()

    def judged_under(self) -> Threat[Any] | None:
        """The judge, or the training threat."""
        return self.judge or self.threat


def found_by(threat: Threat[Any], fitting: Fitting, minibatch: Minibatch, rows: Sequence[int] | None = None) -> Rows:
    """What a threat makes of the samples of a minibatch, or of some of them, keyed by sample and epoch."""
    from windtunnel.recipes.judging import attacked

    batch: Batch[Any] = Batch(minibatch.inputs, minibatch.labels, minibatch.ids)
    return attacked(fitting.network, threat, batch if rows is None else batch.take(rows), fitting.number("adversarial"))


def inputs_of(threat: Threat[Any]) -> tuple[str, ...]:
    """The modalities that a threat changes."""
    return (IMAGE, TEXT) if threat.modality == ANY else (threat.modality,)


def pgd(norm: str, eps: Fraction, *, steps: int, step: Fraction) -> Threat[Any]:
    """Projected gradient descent from a random start, as epochs are judged under."""
    kind: Any = THREATS.load("pgd")
    made: Threat[Any] = kind(norm=norm, eps=(eps,), steps=steps, step=step)
    return made


def refuse_no_change(threat: Threat[Any]) -> None:
    """Refuse to train against a threat of no size.

    Raises:
        RecipeError: eps or severity 0, or a threat that changes nothing.
    """
    if not threat.levels or not threat.levels[-1]:
        raise RecipeError(f"Training against {threat.use} at level 0 is training on clean inputs; give it an eps or severity above 0.")
