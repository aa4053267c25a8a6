"""How far logits are from a mistake. Imports torch."""

from __future__ import annotations

import torch
from torch import Tensor


def margin(logits: Tensor, labels: Tensor) -> Tensor:
    """The best other logit minus the label's; positive where the sample is misclassified.

    Shapes:
        logits (batch, class); labels (batch,); returns (batch,).
    Source:
        Carlini and Wagner 2017, arXiv 1608.04644, section V, function f6 without its bound.
    """
    own = logits.gather(1, labels[:, None])
    others = logits.scatter(1, labels[:, None], -torch.inf)
    return others.amax(1) - own.squeeze(1)
