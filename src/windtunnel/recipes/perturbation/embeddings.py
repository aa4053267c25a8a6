"""Word embeddings of a language model, moved a little on their way into the network. Imports torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from windtunnel.core.network import Network
from windtunnel.errors import RecipeError

Start = Callable[[Tensor, Tensor], Tensor]
"""Embeddings (batch, token, width) and which tokens are no padding (batch, token, 1) to the first move of each."""


class Embeddings:
    """The word embeddings of a network.

    A batch goes through a language model in groups of texts of like length, the same ones for the same texts; so there is a move for each group.

    Raises:
        RecipeError: the network says of no module that it embeds its words.
    """

    def __init__(self, network: Network, use: str) -> None:
        owners = [module for module in network.backbone.modules() if callable(getattr(module, "get_input_embeddings", None))]
        if not owners:
            kinds = ", ".join(sorted({type(module).__name__ for module in network.backbone.children()}))
            raise RecipeError(f"{use} moves word embeddings, and this network names none; it is made of {kinds}. Train a language model by it.")
        self.owner: nn.Module = owners[0]
        self.words: nn.Module = owners[0].get_input_embeddings()  # type: ignore[operator]  # it is callable

    @contextmanager
    def moved(self, moves: list[Tensor], start: Start) -> Iterator[list[Tensor]]:
        """Inside, a pass has the moves added, a group after the other; groups that are met for the first time are given one by `start`.

        Yields:
            For each group which tokens are no padding, as `start` is told.
        """
        masks: list[Tensor] = []

        def note(_module: nn.Module, _inputs: object, given: dict[str, Tensor]) -> None:
            masks.append(given["attention_mask"][..., None])

        def add(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
            place = len(masks) - 1
            if place == len(moves):
                mask = masks[place].to(output.dtype)
                moves.append((start(output.detach(), mask) * mask).requires_grad_())
            return output + moves[place]

        handles = [self.owner.register_forward_pre_hook(note, with_kwargs=True), self.words.register_forward_hook(add)]
        try:
            yield masks
        finally:
            for handle in handles:
                handle.remove()


@contextmanager
def same_draws(device: torch.device) -> Iterator[None]:
    """Afterwards the global generator draws what it draws inside once more, as dropout does."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield
