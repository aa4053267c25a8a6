"""Supervised contrastive fine-tuning: features of one class are drawn together and away from those of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.part import Answer, Criterion, Fitting, Loss, Minibatch
from windtunnel.recipes.arguments import Rate

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SupervisedContrastive(Loss):
    """Cross-entropy, and a contrastive term on the features that the head sees, scaled to length 1.

    A sample's term is the mean, over the others of its class in the batch, of minus the log of how much of its similarity they have; it
    is 0 for a sample that is alone of its class. A batch that is worked through in parts is contrasted within each.

    Args:
        weight: share of the contrastive term in the loss, the paper's lambda.
        temperature: of the similarities; the lower, the more the nearest ones count.
    Source:
        Gunel et al. 2021, arXiv 2011.01403, section 2, with the weight and temperature that it selects most often. Deviation: the terms
        are averaged over the batch, as cross-entropy is; equation 3 has their sum.
    """

    use: ClassVar[str] = "supervised-contrastive"

    weight: Annotated[float, Field(ge=0, le=1)] = 0.9
    temperature: Rate = 0.3

    def begin(self, fitting: Fitting) -> Criterion:
        """Both terms for each sample."""
        from torch.nn.functional import cross_entropy

        def each(answer: Answer, minibatch: Minibatch) -> Tensor:
            plain = cross_entropy(answer.logits, minibatch.labels, reduction="none")
            return (1 - self.weight) * plain + self.weight * self.contrast(answer.features, minibatch.labels)

        return each

    def contrast(self, features: Tensor, labels: Tensor) -> Tensor:
        """The contrastive term of each sample, (batch,)."""
        import torch
        from torch.nn.functional import normalize

        directions = normalize(features, dim=1)
        itself = torch.eye(len(features), dtype=torch.bool, device=features.device)
        similar = directions @ directions.T / self.temperature
        # Not minus infinity: a sample that is alone in its batch has nothing else to be compared with.
        shares = similar.masked_fill(itself, torch.finfo(similar.dtype).min).log_softmax(1)
        alike = (labels[:, None] == labels) & ~itself
        return -shares.masked_fill(~alike, 0).sum(1) / alike.sum(1).clamp_min(1)
