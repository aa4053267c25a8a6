"""Linear probing: the backbone stays as it was pre-trained, only a new linear head is trained."""

from __future__ import annotations

from typing import ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.recipe import Finetuned, Finetuning
from windtunnel.recipes.supervised import Count, Rate, Supervised


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LinearProbe(Supervised):
    """Train a linear head on frozen features, which are computed once for a model and data set.

    Args:
        epochs: passes over the features; cheap, since the backbone runs once.
        lr: peak learning rate of the head.
    Source:
        Alain and Bengio 2016, arXiv 1610.01644; as a fine-tuning baseline Kumar et al. 2022, arXiv 2202.10054.
    """

    use: ClassVar[str] = "linear-probe"

    epochs: Count = 100
    lr: Rate = 1e-2

    def passes(self, samples: int) -> float:
        """One forward pass for the features; the head is nothing beside it."""
        return float(samples)

    def finetune(self, work: Finetuning) -> Finetuned:
        """Features once, then the head."""
        from windtunnel.core.network import Network
        from windtunnel.recipes.probe import probe
        from windtunnel.recipes.training import check_material, snapshot

        check_material(work.train, work.val)
        network = Network(work.model, len(work.train.classes), dropout=self.dropout, seed=work.seed).to(work.device)
        trained = probe(network, work, self)
        best = snapshot(network)
        last = {**best, "head.weight": trained.last["linear.weight"], "head.bias": trained.last["linear.bias"]}
        return Finetuned(network.eval(), best, last, trained.best_epoch, tuple(trained.curves))
