"""What stands between an attack library and a victim. Imports torch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from windtunnel.core.victim import Victim
from windtunnel.errors import MissingPackageError


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


class Attacked(nn.Module):
    """A victim's network as attack code sees it.

    A network that passes no gradient back (a plain function, say) gets a gradient of zero instead of an error: the attack is then
    as blind as the network makes it, and the evaluation is flagged for that.

    Args:
        victim: whose network is attacked.
    """

    def __init__(self, victim: Victim) -> None:
        super().__init__()
        # torchattacks learns the device from the first parameter, and prints a complaint where there is none.
        self.place = nn.Parameter(torch.empty(0, device=victim.device), requires_grad=False)
        self.network = victim.network
        self.eval()

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits, (batch, class)."""
        logits: Tensor = self.network(inputs)
        if inputs.requires_grad and torch.is_grad_enabled():
            logits = logits + 0 * inputs.flatten(1).sum(1, keepdim=True)
        return logits
