"""What stands between an attack library and a victim: keyed draws, per-sample gradients. Imports torch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from windtunnel.core.batch import Batch
from windtunnel.core.victim import Victim
from windtunnel.errors import MissingPackageError
from windtunnel.threats.library.draws import KeyedDraws


def library() -> Any:
    """The torchattacks package.

    Raises:
        MissingPackageError: it is not installed.
    """
    try:
        import torchattacks
    except ModuleNotFoundError as error:
        raise MissingPackageError(f"This attack needs torchattacks ({error}). Install it with: pip install 'windtunnel[vision]'") from error
    return torchattacks


class _PerSample(torch.autograd.Function):
    """The identity; multiplies gradients by the batch size.

    torchattacks' FGSM and PGD average the loss over the batch. Undoing that gives each sample its own gradient, so that neither
    underflow nor the constant in PGD's L2 normalisation makes a sample's step depend on how many others are in its batch.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor) -> Tensor:
        return logits.view_as(logits)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0] * len(gradients[0])


class Attacked(nn.Module):
    """A victim's network as attack code sees it.

    A network that passes no gradient back (a plain function, say) gets a gradient of zero instead of an error: the attack is then
    as blind as the network makes it, and the evaluation is flagged for that.

    Args:
        victim: whose network is attacked.
        draws: put to rest by the first pass. Attacks draw their start before it; catching what they might draw later would cost
            more than a small network, and is an error anyway.
        averaged: whether the attack averages its loss over the batch.
    """

    def __init__(self, victim: Victim, draws: KeyedDraws, averaged: bool) -> None:
        super().__init__()
        # torchattacks learns the device from the first parameter, and prints a complaint where there is none.
        self.place = nn.Parameter(torch.empty(0, device=victim.device), requires_grad=False)
        self.network = victim.network
        self.draws = draws
        self.averaged = averaged
        self.eval()

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits, (batch, class)."""
        self.draws.rest()
        logits: Tensor = self.network(inputs)
        if not (inputs.requires_grad and torch.is_grad_enabled()):
            return logits
        if not logits.requires_grad:
            logits = logits + 0 * inputs.flatten(1).sum(1, keepdim=True)
        found: Tensor = _PerSample.apply(logits) if self.averaged else logits
        return found


@contextmanager
def attacked(victim: Victim, batch: Batch, seed: int, purpose: str, *, averaged: bool = False) -> Iterator[Attacked]:
    """The victim's network, ready for attack code, inside a block in which every draw is keyed or refused.

    Args:
        batch: samples that the attack will be given, in this order.
        seed: keys the draws, with the purpose and each sample's id.
        purpose: what the draws are for.
        averaged: whether the attack averages its loss over the batch.
    """
    with KeyedDraws(batch.ids, seed, purpose, batch.inputs.ndim) as draws:
        yield Attacked(victim, draws, averaged)
