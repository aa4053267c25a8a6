"""PGD adversarial training: every step trains on the worst inputs that an attack finds."""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.budget import check_radius
from windtunnel.core.configured import STRICT, Radius
from windtunnel.core.modality import IMAGE
from windtunnel.core.recipe import Finetuned, Finetuning
from windtunnel.recipes.supervised import Count, Supervised


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PgdAt(Supervised):
    """Minimise the loss on projected-gradient adversarial examples of the training batch, all parameters moving.

    The epoch is selected by accuracy under the training attack on the validation split, since robust accuracy overfits
    (Rice et al. 2020, arXiv 2002.11569).

    Args:
        eps: radius of the ball in [0, 1] units.
        norm: norm of the ball.
        steps: gradient steps of the training attack; 7 as published for CIFAR-10.
        step: length of one step; 2.5 * eps / steps if left out.
    Source:
        Madry et al. 2018, arXiv 1706.06083, section 4. The attack runs with the network in evaluation mode, so that it
        changes no batch statistics.
    """

    use: ClassVar[str] = "pgd-at"
    version: ClassVar[int] = 3
    libraries: ClassVar[tuple[str, ...]] = ("torch",)

    eps: Radius = Field(default=Fraction(8, 255))
    norm: Literal["Linf", "L2"] = "Linf"
    steps: Count = 7
    step: Radius | None = None

    def __post_init__(self) -> None:
        check_radius(self.norm, self.eps)

    @property
    def modalities(self) -> tuple[str, ...]:
        """Images: its attack follows gradients of pixels."""
        return (IMAGE,)

    def passes(self, samples: int) -> float:
        """The attack's passes and the training step's."""
        return 2.0 * samples * self.epochs * (self.steps + 1)

    def finetune(self, work: Finetuning) -> Finetuned:
        """One stage over all parameters on perturbed batches."""
        from windtunnel.core.network import Network
        from windtunnel.recipes.adversarial import train_adversarially
        from windtunnel.recipes.training import check_material, finished

        check_material(work.train, work.val)
        network = Network(work.model, len(work.train.classes), dropout=self.dropout, seed=work.seed).to(work.device)
        return finished(network, train_adversarially(network, work, self))
