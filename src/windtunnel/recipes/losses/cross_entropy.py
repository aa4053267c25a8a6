"""Cross-entropy, with or without label smoothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.part import Answer, Criterion, Fitting, Loss, Minibatch
from windtunnel.recipes.arguments import Share

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CrossEntropy(Loss):
    """Minus the log probability of the label.

    Args:
        label_smoothing: probability mass spread evenly over all classes.
    Source:
        Label smoothing: Szegedy et al. 2016, arXiv 1512.00567, section 7.
    """

    use: ClassVar[str] = "cross-entropy"
    rowwise: ClassVar[bool] = True

    label_smoothing: Share = 0.0

    def begin(self, fitting: Fitting) -> Criterion:
        """The loss of each sample."""
        from torch.nn.functional import cross_entropy

        def each(answer: Answer, minibatch: Minibatch) -> Tensor:
            return cross_entropy(answer.logits, minibatch.labels, reduction="none", label_smoothing=self.label_smoothing)

        return each
