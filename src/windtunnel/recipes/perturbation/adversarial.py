"""Adversarial training: every step trains on what a threat of the table finds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.part import Fitting, Hooks, Minibatch
from windtunnel.recipes.perturbation.opposed import Opposed, found_by

if TYPE_CHECKING:
    from windtunnel.core.batch import Rows


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Adversarial(Opposed):
    """Minimise the loss on the perturbed samples of each batch; any threat of the table can be the one that perturbs, at its largest level.

    Args:
        threat: what perturbs; for PGD training pgd with `stop_when_broken: false`, so that it takes all steps.
        judge: the threat under which an epoch is judged; the training threat if left out.
        share: share of the samples that are perturbed, others every epoch; the rest are trained on as they are.
    Raises:
        RecipeError: a threat that changes nothing.
    Source:
        Madry et al. 2018, arXiv 1706.06083, section 2. The threat runs with the network in evaluation mode, so that it changes no batch
        statistics.
    """

    use: ClassVar[str] = "adversarial"

    share: Annotated[float, Field(gt=0, le=1)] = 1.0

    def passes(self) -> float:
        """Those of the threat, on the share."""
        return self.share * self.threat.passes()

    def begin(self, fitting: Fitting) -> Hooks:
        """Perturbing each minibatch."""
        return _Perturbed(fitting, self)


class _Perturbed(Hooks):
    """Minibatches are perturbed by a threat; what they were before stays in `clean`."""

    def __init__(self, fitting: Fitting, settings: Adversarial) -> None:
        self.fitting, self.settings = fitting, settings

    def perturb(self, minibatch: Minibatch) -> Minibatch:
        """The threat's answer, keyed by sample and epoch."""
        return replace(minibatch, inputs=self._found(minibatch), clean=minibatch.inputs)

    def _found(self, minibatch: Minibatch) -> Rows:
        share = self.settings.share
        if share == 1:
            return found_by(self.settings.threat, self.fitting, minibatch)
        draws = self.fitting.draws("adversarial-share", minibatch.ids)
        rows = [row for row, draw in enumerate(draws) if draw.random() < share]
        return _put(minibatch.inputs, rows, found_by(self.settings.threat, self.fitting, minibatch, rows)) if rows else minibatch.inputs


def _put(inputs: Any, rows: list[int], others: Any) -> Rows:
    """Inputs with some of them replaced."""
    import torch

    if not isinstance(inputs, torch.Tensor):
        texts: Rows = inputs.put(rows, others)
        return texts
    changed = inputs.clone()
    changed[rows] = others
    return changed
