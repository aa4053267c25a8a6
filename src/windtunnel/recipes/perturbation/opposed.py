"""Bases of the perturbations that threats of the table have to do with: those that judge epochs, and those that perturb."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from pydantic.dataclasses import dataclass

from windtunnel.builtins import THREATS
from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT
from windtunnel.core.modality import ANY, IMAGE, TEXT
from windtunnel.core.part import Fitting, Minibatch, Perturbation
from windtunnel.core.resource import Resource
from windtunnel.core.threat import Threat
from windtunnel.errors import RecipeError
from windtunnel.recipes.parts import MaybeThreat, OneThreat

if TYPE_CHECKING:
    from windtunnel.core.batch import Rows


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Judged(Perturbation):
    """Epochs are told apart by accuracy under a threat.

    Args:
        judge: that threat; what it is if left out, the perturbation says.
    Raises:
        RecipeError: a threat that changes nothing.
    """

    judge: MaybeThreat = None

    def __post_init__(self) -> None:
        for threat in self.threats():
            refuse_no_change(threat)

    def threats(self) -> Iterator[Threat[Any]]:
        """Those among the arguments."""
        yield from (threat for threat in (getattr(self, "threat", None), self.judge) if threat is not None)

    def resources(self) -> Sequence[tuple[str, Resource]]:
        """What the threats read."""
        return [(threat.use, each) for threat in self.threats() for each in threat.resources()]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Opposed(Judged):
    """Trains against a threat, at its largest level.

    Args:
        threat: what perturbs.
        judge: the threat under which an epoch is judged; the training threat if left out.
    Raises:
        RecipeError: a threat that changes nothing.
    """

    threat: OneThreat

    @property
    def modalities(self) -> tuple[str, ...]:
        """Those of the threat."""
        return inputs_of(self.threat)

    def passes(self) -> float:
        """Those of the threat."""
        return self.threat.passes()

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
