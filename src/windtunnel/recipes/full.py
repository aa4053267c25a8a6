"""Full fine-tuning: every parameter moves, with or without AugMix."""

from __future__ import annotations

from typing import ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.recipe import Finetuned, Finetuning
from windtunnel.recipes.supervised import Augmenting


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Full(Augmenting):
    """Train backbone and a new head together.
    Source:
        The common practice; the baseline of Kumar et al. 2022, arXiv 2202.10054, section 2.
    """

    use: ClassVar[str] = "full"

    def passes(self, samples: int) -> float:
        """Forward and backward, on three views of each sample under AugMix."""
        return 2.0 * samples * self.epochs * (3 if self.augment == "augmix" else 1)

    def finetune(self, work: Finetuning) -> Finetuned:
        """One stage over all parameters."""
        from windtunnel.core.network import Network
        from windtunnel.recipes.training import check_material, finished
        from windtunnel.recipes.whole import train_whole

        check_material(work.train, work.val)
        network = Network(work.model, len(work.train.classes), dropout=self.dropout, seed=work.seed).to(work.device)
        return finished(network, train_whole(network, work, self))
