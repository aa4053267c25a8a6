"""The bottleneck of an adapter, and how it gets behind a block. Imports torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from windtunnel.core.network import Network, Preprocess
from windtunnel.core.texts import Texts
from windtunnel.errors import RecipeError
from windtunnel.recipes.scopes.blocks import blocks
from windtunnel.seeding import generator

NAME = "adapters"
"""Under which they are a part of the network: beside the backbone, as a block may be a container that runs whatever is in it."""

SPREAD = 0.01
"""Standard deviation of its first weights: Houlsby et al. 2019, section 2.1."""


class Bottleneck(nn.Module):
    """Features to features, with a skip connection around a narrow place.

    Args:
        features: of what passes.
        width: of the narrow place.
        last: whether features are the last dimension, and not the second.
        random: draws the weights.
    """

    def __init__(self, features: int, width: int, *, last: bool, random: np.random.Generator) -> None:
        super().__init__()
        self.last = last
        self.down = _linear(features, width, random)
        self.up = _linear(width, features, random)

    def forward(self, inputs: Tensor) -> Tensor:
        """Of the same shape."""
        moved = inputs if self.last else inputs.movedim(1, -1)
        added: Tensor = self.up(nn.functional.gelu(self.down(moved)))
        return inputs + (added if self.last else added.movedim(-1, 1))


def _linear(inputs: int, outputs: int, random: np.random.Generator) -> nn.Linear:
    layer: nn.Linear = nn.utils.skip_init(nn.Linear, inputs, outputs)  # type: ignore[no-untyped-call]  # torch does not annotate it
    draws = random.standard_normal((outputs, inputs))
    while (wild := np.abs(draws) > 2).any():
        draws[wild] = random.standard_normal(int(wild.sum()))
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(draws * SPREAD))
        layer.bias.zero_()
    return layer


def insert(network: Network, width: int, seed: int) -> None:
    """Put a bottleneck behind each block, or leave those that are there.

    Raises:
        RecipeError: no blocks, blocks whose answer has no features, or bottlenecks of another width.
    """
    there = getattr(network, NAME, None)
    if there is not None:
        if there[0].down.out_features != width:
            raise RecipeError(f"The network has adapters of width {there[0].down.out_features} already; this stage asks for {width}.")
        return
    found = blocks(network)
    adapters = nn.ModuleList()
    for name, module, output in zip(found.names, found.modules, _outputs(network, found.modules), strict=True):
        if output is None or output.ndim < 2:
            raise RecipeError(f"The block {name} does not answer with features, so no adapter can follow it; use another scope, such as `norms`.")
        # Features of maps are second, unless height and width come before them; of sequences and vectors they are last.
        last = output.ndim != 4 or output.shape[1] == output.shape[2] != output.shape[3]
        adapter = Bottleneck(output.shape[-1 if last else 1], width, last=last, random=generator(seed, "adapter", name))
        adapters.append(adapter.to(output.device))
        module.register_forward_hook(_Behind(adapter))
    network.add_module(NAME, adapters.train(network.training))


def inserted(network: Network) -> list[nn.Parameter]:
    """The parameters of all bottlenecks."""
    return [each for module in network.modules() if isinstance(module, Bottleneck) for each in module.parameters()]


@dataclass(frozen=True)
class _Behind:
    """A hook that lets a block's answer through a bottleneck; a copy of the network gets one for its own bottleneck."""

    adapter: Bottleneck

    def __call__(self, module: nn.Module, inputs: object, output: Any) -> Any:
        return (self.adapter(output[0]), *output[1:]) if isinstance(output, tuple) else self.adapter(output)


@torch.no_grad()
def _outputs(network: Network, modules: Sequence[nn.Module]) -> list[Tensor | None]:
    """What each block answers to one sample; None where that is no tensor."""
    found: list[Tensor | None] = [None] * len(modules)

    def note(place: int) -> Callable[[nn.Module, object, Any], None]:
        def hook(module: nn.Module, inputs: object, output: Any) -> None:
            first = output[0] if isinstance(output, tuple) else output
            found[place] = first if isinstance(first, Tensor) else None

        return hook

    handles = [module.register_forward_hook(note(place)) for place, module in enumerate(modules)]
    modes = [(module, module.training) for module in network.modules()]
    try:
        network.eval()
        network.features(_sample(network))
    finally:
        for handle in handles:
            handle.remove()
        for module, training in modes:
            module.training = training
    return found


def _sample(network: Network) -> Any:
    """An input that the network takes."""
    if not isinstance(network.preprocess, Preprocess):
        return Texts.of(["a"])
    place = next(network.backbone.parameters()).device
    return torch.zeros(1, *network.preprocess.preprocessing.size, device=place)
