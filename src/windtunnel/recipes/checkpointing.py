"""Saving memory by computing blocks once more in the backward pass. Imports torch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from windtunnel.core.network import Network
from windtunnel.recipes.scopes.blocks import blocks


@contextmanager
def checkpointed(network: Network, *, on: bool) -> Iterator[None]:
    """Inside, the blocks keep no activations for the backward pass: they are computed once more there, without another effect.

    Raises:
        RecipeError: the network has no blocks.
    """
    modules = blocks(network).modules if on else ()
    own = [vars(module).get("forward") for module in modules]
    for module in modules:
        both = partial(_contexts, module)
        module.forward = partial(checkpoint, module.forward, use_reentrant=False, context_fn=both)
    try:
        yield
    finally:
        for module, forward in zip(modules, own, strict=True):
            if forward is None:
                del module.forward
            else:
                module.forward = forward


def _contexts(module: nn.Module) -> tuple[nullcontext[None], _Again]:
    """What surrounds the first pass and the one in the backward pass."""
    return nullcontext(), _Again(module)


class _Again:
    """A second pass over the same inputs, which must not count once more in the batch statistics."""

    def __init__(self, module: nn.Module) -> None:
        counting = [part for part in module.modules() if isinstance(part, nn.modules.batchnorm._NormBase) and part.training]
        self.statistics = [buffer for part in counting for buffer in part.buffers(recurse=False)]
        self.kept: list[torch.Tensor] = []

    def __enter__(self) -> None:
        self.kept = [each.clone() for each in self.statistics]

    def __exit__(self, *_: object) -> None:
        for each, before in zip(self.statistics, self.kept, strict=True):
            each.data.copy_(before)  # through `data`, as autograd would take another way for a change of what it saved
