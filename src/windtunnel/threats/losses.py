"""Losses that attacks increase: logits and labels to one value per sample. Imports torch."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

import torch
from torch import Tensor

from windtunnel.core.margin import margin

Loss = Callable[[Tensor, Tensor], Tensor]
"""Logits (batch, class) and labels (batch,) to (batch,): the larger, the closer to a mistake."""

TargetedLoss = Callable[[Tensor, Tensor, Tensor], Tensor]
"""The same towards a target class (batch,)."""

Objective = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Logits (standing, class), labels (standing,) and the samples' rows in the whole batch to one value each, to be increased."""

TINY = 1e-12
"""Keeps equal logits from dividing by zero."""


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Minus the log probability of the label."""
    return torch.nn.functional.cross_entropy(logits, labels, reduction="none")


def dlr(logits: Tensor, labels: Tensor) -> Tensor:
    """The difference of logits ratio: the margin in units of the gap between the first and third logit; three classes or more.

    Source:
        Croce and Hein 2020, arXiv 2003.01690, equation 4.
    """
    top = logits.topk(3, dim=1).values
    return margin(logits, labels) / (top[:, 0] - top[:, 2] + TINY)


def targeted_cross_entropy(logits: Tensor, labels: Tensor, targets: Tensor) -> Tensor:
    """The log probability of the target."""
    return -torch.nn.functional.cross_entropy(logits, targets, reduction="none")


def targeted_margin(logits: Tensor, labels: Tensor, targets: Tensor) -> Tensor:
    """The target's logit minus the label's."""
    return (logits.gather(1, targets[:, None]) - logits.gather(1, labels[:, None])).squeeze(1)


def targeted_dlr(logits: Tensor, labels: Tensor, targets: Tensor) -> Tensor:
    """The targeted margin in units of the gap between the first logit and the mean of the third and fourth; four classes or more.

    Source:
        Croce and Hein 2020, arXiv 2003.01690, equation 6.
    """
    top = logits.topk(4, dim=1).values
    return targeted_margin(logits, labels, targets) / (top[:, 0] - (top[:, 2] + top[:, 3]) / 2 + TINY)


LOSSES: Final = MappingProxyType({"ce": (cross_entropy, 2), "dlr": (dlr, 3), "margin": (margin, 2)})
"""Name -> the loss, and the number of classes from which on it exists."""

TARGETED: Final = MappingProxyType({"ce": (targeted_cross_entropy, 2), "dlr": (targeted_dlr, 4), "margin": (targeted_margin, 2)})
"""The same for losses with a target."""


def loss_for(name: str, classes: int) -> Loss:
    """The loss of that name; the margin where it does not exist for so few classes (the threat flags that)."""
    found, least = LOSSES[name]
    return found if classes >= least else margin


def untargeted(name: str) -> Objective:
    """The loss of that name as what an ascent increases."""
    return lambda logits, labels, rows: loss_for(name, logits.shape[1])(logits, labels)


def aimed(name: str, targets: Tensor) -> Objective:
    """The targeted loss of that name, or the margin where it does not exist.

    Args:
        targets: a class for each sample of the whole batch.
    """
    found, least = TARGETED[name]
    return lambda logits, labels, rows: (found if logits.shape[1] >= least else targeted_margin)(logits, labels, targets[rows])
