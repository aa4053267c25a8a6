"""Perturbation: train on inputs that blind threats of the table have changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic.dataclasses import dataclass

from windtunnel.builtins import THREATS
from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT
from windtunnel.core.modality import IMAGE, TEXT
from windtunnel.core.named import Named
from windtunnel.core.part import Augmentation, Fitting, Hooks, Minibatch
from windtunnel.core.resource import Resource
from windtunnel.core.texts import Texts
from windtunnel.core.threat import Threat
from windtunnel.errors import RecipeError
from windtunnel.recipes.arguments import Chance


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Perturbation(Augmentation):
    """Each of some samples is changed by one of the given threats at one of its severities, both drawn evenly.

    A network is then no judge of how it does on changes that it has not seen: evaluate it under others, too.

    Args:
        threats: corruptions of images, or perturbations of texts; with their `severities`.
        p: chance that a sample is changed.
    Raises:
        RecipeError: no threat, one that is none of these, or some for images and some for texts.
    Source:
        Common practice; for images see Geirhos et al. 2018, arXiv 1808.08750, who train on distortions one or several at a time.
    """

    use: ClassVar[str] = "perturbation"

    threats: Annotated[tuple[Threat[Any], ...], Named(THREATS, many=True)]
    p: Chance = 0.5

    def __post_init__(self) -> None:
        if not self.threats:
            raise RecipeError("perturbation: `threats` is empty; give at least one corruption or text perturbation, such as gaussian-noise.")
        for each in self.threats:
            if each.adaptive or each.family != "corruption":
                raise RecipeError(f"perturbation: {each.use} is no blind change of the inputs; use `perturb: {{use: adversarial}}` for attacks.")
        if len(self.modalities) != 1:
            raise RecipeError(f"perturbation: {', '.join(each.use for each in self.threats)} are for images and for texts; give threats of one kind.")

    @property
    def modalities(self) -> tuple[str, ...]:
        """That of the threats."""
        return tuple(each for each in (IMAGE, TEXT) if any(threat.modality == each for threat in self.threats))

    def resources(self) -> Sequence[tuple[str, Resource]]:
        """What the threats read."""
        return [(threat.use, each) for threat in self.threats for each in threat.resources()]

    def begin(self, fitting: Fitting) -> Hooks:
        """Changing samples.

        Raises:
            ResourceError: a threat lacks something that it reads.
        """
        self.require()
        return _Perturbed(self, fitting)


class _Perturbed(Hooks):
    def __init__(self, settings: Perturbation, fitting: Fitting) -> None:
        from torch import nn

        from windtunnel.core.victim import Victim

        self.settings, self.fitting = settings, fitting
        self.nobody = Victim(nn.Identity().eval(), name="nobody")  # whom blind threats do not ask

    def augment(self, minibatch: Minibatch) -> Minibatch:
        threats, inputs = self.settings.threats, minibatch.inputs
        drawn = self.fitting.uniforms("perturbation", minibatch.ids, 3)
        which = np.where(drawn[:, 0] < self.settings.p, (drawn[:, 1] * len(threats)).astype(int), -1)
        for number, threat in enumerate(threats):
            severity = (drawn[:, 2] * len(threat.levels)).astype(int)
            for place, level in enumerate(threat.levels):
                rows = np.flatnonzero((which == number) & (severity == place)).tolist()
                if rows:
                    batch: Batch[Any] = Batch(minibatch.inputs[rows], minibatch.labels[rows], tuple(minibatch.ids[row] for row in rows))
                    found: Any = threat.perturb(self.nobody, batch, level, self.fitting.number("perturbation"))
                    inputs = _put(inputs, rows, found)
        return replace(minibatch, inputs=inputs)


def _put(inputs: Any, rows: list[int], others: Any) -> Any:
    """Inputs with the samples at some rows replaced."""
    if isinstance(inputs, Texts):
        return inputs.put(rows, others)
    changed = inputs.clone()
    changed[rows] = others
    return changed
