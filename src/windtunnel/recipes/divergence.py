"""Divergences between the predictions of several passes, for each sample. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import kl_div

LEAST = 1e-7
"""The mixture's probabilities are held above it, as in the reference implementation of AugMix."""


def jensen_shannon(logits: Sequence[Tensor]) -> Tensor:
    """The Jensen-Shannon divergence of several predictions, (batch,).

    Args:
        logits: (batch, class) each.
    """
    logs = [each.log_softmax(1) for each in logits]
    middle = torch.stack([each.exp() for each in logs]).mean(0).clamp(LEAST, 1).log()
    return torch.stack([kl_div(middle, each, reduction="none", log_target=True).sum(1) for each in logs]).mean(0)


def kullback_leibler(of: Tensor, to: Tensor) -> Tensor:
    """KL(p || q) of two predictions by their logits, p being `of` and q `to`, (batch,).

    Shapes:
        both (batch, class).
    """
    return kl_div(to.log_softmax(1), of.log_softmax(1), reduction="none", log_target=True).sum(1)
