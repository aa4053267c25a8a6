"""Group DRO: the groups on which the network does worst weigh most."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.part import Answer, Criterion, Fitting, Loss, Minibatch
from windtunnel.recipes.arguments import Weight

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class GroupDRO(Loss):
    """Cross-entropy, averaged within each group and weighted over them; a group's weight grows with its loss, step by step.

    The groups are those of the training split, or its classes where it has none. The weights move once a step, before it, by the losses
    of its first pass; so it is with mixtures (on the samples' own labels) and with a batch that is worked through in parts, too.

    Args:
        step: how fast the weights move; 0 leaves all groups the same weight.
        adjustment: C, for which C / sqrt(n) is added to the loss by which the weight of a group of n training samples moves.
    Source:
        Sagawa et al. 2020, arXiv 1911.08731, algorithm 1 (exponentiated gradient ascent) and section 3.3 (adjustment). Deviation: a batch
        holds the groups as the data does, and not equally often; a group that it lacks has loss 0. The strong weight decay that the paper
        calls for is the recipe's `weight_decay`.
    """

    use: ClassVar[str] = "group-dro"

    step: Weight = 0.01
    adjustment: Weight = 0.0

    def begin(self, fitting: Fitting) -> Criterion:
        """The loss of each sample, so weighted that their mean is the objective."""
        import numpy as np
        import torch
        from torch.nn.functional import cross_entropy

        data = fitting.train
        found = getattr(data, "groups", None)
        groups = data.labels if found is None else np.unique(found, return_inverse=True)[1]
        sizes = np.bincount(groups)
        group_of = dict(zip(data.ids, groups.tolist(), strict=True))
        extra = torch.from_numpy(self.adjustment / np.sqrt(np.maximum(sizes, 1))).float().to(fitting.device)
        fitting.state["group-dro.weights"] = torch.from_numpy((sizes > 0) / (sizes > 0).sum()).float().to(fitting.device)
        fitting.state["group-dro.moved"] = torch.zeros(2, dtype=torch.long)

        def each(answer: Answer, minibatch: Minibatch) -> Tensor:
            plain = cross_entropy(answer.logits, minibatch.labels, reduction="none")
            group = torch.tensor([group_of[name] for name in minibatch.ids], device=plain.device)
            counts = group.bincount(minlength=len(sizes)).clamp_min(1)
            now = torch.tensor([fitting.epoch, fitting.step])
            if not torch.equal(fitting.state["group-dro.moved"].cpu(), now):
                mean = torch.zeros(len(sizes), device=plain.device).index_add(0, group, plain.detach().float()) / counts
                fitting.state["group-dro.weights"] = self.moved(fitting.state["group-dro.weights"], mean + extra)
                fitting.state["group-dro.moved"] = now
            return len(group) * (fitting.state["group-dro.weights"] / counts)[group] * plain

        return each

    def moved(self, weights: Tensor, losses: Tensor) -> Tensor:
        """The weights a step later, by the loss of each group."""
        grown = weights * (self.step * losses).exp()
        return grown / grown.sum()
