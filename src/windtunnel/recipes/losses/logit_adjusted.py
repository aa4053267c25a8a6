"""Logit adjustment: while training, frequent classes get a head start in their logits."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.part import Answer, Criterion, Fitting, Loss, Minibatch
from windtunnel.recipes.arguments import Weight

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LogitAdjusted(Loss):
    """Cross-entropy of the logits plus tau times the log of each class's share of the training split.

    The victim's logits are left as they are, which then balances the classes.

    Args:
        tau: strength; 0 is cross-entropy, and 1 minimises the balanced error.
    Source:
        Menon et al. 2021, arXiv 2007.07314, section 4.2, equation 10.
    """

    use: ClassVar[str] = "logit-adjusted"
    rowwise: ClassVar[bool] = True

    tau: Weight = 1.0

    def begin(self, fitting: Fitting) -> Criterion:
        """The loss of each sample."""
        import torch
        from torch.nn.functional import cross_entropy

        from windtunnel.recipes.losses.counts import counts

        count = counts(fitting)
        # A class that does not occur gets a start so low that it does not compete, and still a finite one.
        shares = (count / count.sum()).float().clamp_min(torch.finfo(torch.float32).tiny)
        start = self.tau * shares.log().to(fitting.device)

        def each(answer: Answer, minibatch: Minibatch) -> Tensor:
            return cross_entropy(answer.logits + start, minibatch.labels, reduction="none")

        return each
