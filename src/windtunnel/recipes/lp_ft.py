"""LP-FT: linear probing first, then full fine-tuning from the probe's head."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.recipe import Finetuned, Finetuning
from windtunnel.recipes.supervised import Augmenting, Count, Rate


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LpFt(Augmenting):
    """Fine-tune all parameters starting from the head of a linear probe, so that the features are distorted less.

    Args:
        probe_epochs: epochs of the probe.
        probe_lr: peak learning rate of the probe.
    Source:
        Kumar et al. 2022, arXiv 2202.10054, section 3.3. Deviation: the learning rates are ours for small networks; the
        paper sweeps them.
    """

    use: ClassVar[str] = "lp-ft"

    probe_epochs: Count = 100
    probe_lr: Rate = 1e-2

    def passes(self, samples: int) -> float:
        """The probe's features, then forward and backward."""
        return samples * (1.0 + 2.0 * self.epochs * (3 if self.augment == "augmix" else 1))

    def finetune(self, work: Finetuning) -> Finetuned:
        """The probe, then one stage over all parameters."""
        from windtunnel.core.network import Network
        from windtunnel.recipes.probe import probe
        from windtunnel.recipes.training import check_material, finished
        from windtunnel.recipes.whole import train_whole

        check_material(work.train, work.val)
        network = Network(work.model, len(work.train.classes), dropout=self.dropout, seed=work.seed).to(work.device)
        first = probe(network, work, dataclasses.replace(self, epochs=self.probe_epochs, lr=self.probe_lr))
        return finished(network, train_whole(network, work, self), first.curves)
