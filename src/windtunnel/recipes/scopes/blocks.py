"""The blocks of a network, by one rule for ResNets, vision transformers and language models, and the scopes made of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass as plain_dataclass
from typing import TYPE_CHECKING, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.part import Scope
from windtunnel.core.recipe import Material
from windtunnel.errors import RecipeError
from windtunnel.recipes.arguments import Count

if TYPE_CHECKING:
    from torch import nn

    from windtunnel.core.network import Network

TRUNK = 0.5
"""Share of its parent's parameters, embeddings apart, that a run of like modules must hold to be its blocks; ours."""


@plain_dataclass(frozen=True)
class Blocks:
    """A backbone from its input to its output.

    Args:
        before: parameters ahead of the first block: a stem, patch or word embeddings.
        names: of the blocks, in their order.
        modules: the blocks.
        after: parameters behind the last block: a final normalisation, a pooling layer.
    """

    before: tuple[nn.Parameter, ...]
    names: tuple[str, ...]
    modules: tuple[nn.Module, ...]
    after: tuple[nn.Parameter, ...]


def blocks(network: Network) -> Blocks:
    """The blocks of a network; see `blocks_of`."""
    return blocks_of(network.backbone)


def blocks_of(backbone: nn.Module) -> Blocks:
    """The blocks of a backbone: the layers of a transformer, the stages of a convolutional network.

    They are found by shape, not by name: from the backbone downwards, the first run of two or more children of one kind that hold most of
    their parent's parameters; where there is none, the search goes on in the child with the most.

    Raises:
        RecipeError: there is no such run.
    """
    from torch import nn

    name, module = "", backbone
    while True:
        children = [(f"{name}.{key}".lstrip("."), child) for key, child in module.named_children() if _weight(child)]
        total = sum(_weight(child) for _, child in children)
        kinds = {type(child) for _, child in children}
        runs = [[each for each in children if type(each[1]) is kind] for kind in kinds if kind not in (nn.Linear, nn.Conv2d)]
        run = max(runs, key=lambda each: sum(_weight(child) for _, child in each), default=[])
        if len(run) > 1 and sum(_weight(child) for _, child in run) > TRUNK * total:
            return _around(backbone, run)
        if not children:
            raise RecipeError(f"The network has no blocks: {_listed(backbone)}.")
        name, module = max(children, key=lambda each: _weight(each[1]))


def _weight(module: nn.Module) -> int:
    """Parameters but for those of embeddings."""
    from torch import nn

    embedded = {id(each) for part in module.modules() if isinstance(part, nn.Embedding) for each in part.parameters()}
    return sum(each.numel() for each in module.parameters() if id(each) not in embedded)


def _around(backbone: nn.Module, run: Sequence[tuple[str, nn.Module]]) -> Blocks:
    inside = {id(each) for _, module in run for each in module.parameters()}
    order = list(backbone.parameters())
    places = [place for place, each in enumerate(order) if id(each) in inside]
    before = tuple(each for each in order[: places[0]])
    after = tuple(each for each in order[places[0] :] if id(each) not in inside)
    return Blocks(before, tuple(name for name, _ in run), tuple(module for _, module in run), after)


def _listed(module: nn.Module) -> str:
    names = [name for name, _ in module.named_children()]
    return f"it is made of {', '.join(names)}" if names else "it is one single module"


def depths(network: Network) -> dict[int, int]:
    """By id of a parameter, how many blocks it is away from the head: 0 behind the blocks, 1 in the last one, and so on to the stem."""
    found = blocks(network)
    count = len(found.modules)
    away = {id(each): count - place for place, module in enumerate(found.modules) for each in module.parameters()}
    return {**away, **{id(each): count + 1 for each in found.before}, **{id(each): 0 for each in found.after}}


@contextmanager
def checkpointed(network: Network, *, on: bool) -> Iterator[None]:
    """Inside, the blocks keep no activations for the backward pass: they are computed once more there."""
    if not on:
        yield
        return
    from functools import partial

    from torch.utils.checkpoint import checkpoint

    modules = blocks(network).modules
    for module in modules:
        module.forward = partial(checkpoint, module.forward, use_reentrant=False)
    try:
        yield
    finally:
        for module in modules:
            del module.forward


def _enough(count: int, material: Material) -> None:
    """Refuse more blocks than a network has.

    Raises:
        RecipeError: in that case; the message lists them.
    """
    if count > len(material.blocks):
        has = f"{len(material.blocks)} blocks: {', '.join(material.blocks)}" if material.blocks else f"no blocks, only {', '.join(material.layers)}"
        raise RecipeError(f"{count} blocks were asked for, and {material.model} has {has}.")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class LastBlocks(Scope):
    """The blocks nearest to the output move, and what comes behind them.

    Args:
        blocks: how many.
    Source:
        Yosinski et al. 2014, arXiv 1411.1792; a block is a layer of a transformer, a stage of a convolutional network.
    """

    use: ClassVar[str] = "last-blocks"

    blocks: Count = 1

    def check(self, material: Material) -> None:
        """The network must have so many blocks."""
        _enough(self.blocks, material)

    def parameters(self, network: Network, epoch: int, epochs: int) -> Sequence[nn.Parameter]:
        """Of the last blocks and what comes behind them."""
        found = blocks(network)
        return [*(each for module in found.modules[-self.blocks :] for each in module.parameters()), *found.after]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class FirstBlocks(Scope):
    """The blocks nearest to the input move, and what comes before them: surgical fine-tuning for shifts of the input.

    Args:
        blocks: how many.
    Source:
        Lee et al. 2023, arXiv 2210.11466, section 2. Deviation: the head is new and moves, too; the paper keeps the head of a classifier
        that was trained on the same classes.
    """

    use: ClassVar[str] = "first-blocks"

    blocks: Count = 1

    def check(self, material: Material) -> None:
        """The network must have so many blocks."""
        _enough(self.blocks, material)

    def parameters(self, network: Network, epoch: int, epochs: int) -> Sequence[nn.Parameter]:
        """Of the first blocks and what comes before them."""
        found = blocks(network)
        return [*found.before, *(each for module in found.modules[: self.blocks] for each in module.parameters())]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Gradual(Scope):
    """Gradual unfreezing: the head first, then one block more each time, from the last to the first, and at last what comes before them.

    Args:
        every: epochs between one block and the next.
    Source:
        Howard and Ruder 2018, arXiv 1801.06146, section 3.3, which unfreezes a layer an epoch.
    """

    use: ClassVar[str] = "gradual"

    every: Count = 1

    def check(self, material: Material) -> None:
        """The network must have blocks."""
        _enough(1, material)

    def parameters(self, network: Network, epoch: int, epochs: int) -> Sequence[nn.Parameter]:
        """Of as many blocks as it is time for."""
        found, count = blocks(network), (epoch - 1) // self.every
        if not count:
            return []
        free = [*(each for module in found.modules[-count:] for each in module.parameters()), *found.after]
        return [*found.before, *free] if count > len(found.modules) else free
