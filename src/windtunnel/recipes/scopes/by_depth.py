"""Scopes that cut a network by depth: its last blocks, its first ones, or one more of them each time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.part import Scope
from windtunnel.errors import RecipeError
from windtunnel.recipes.arguments import Count

if TYPE_CHECKING:
    from torch import nn

    from windtunnel.core.network import Network
    from windtunnel.core.recipe import Material


def _enough(count: int, material: Material) -> None:
    """Refuse more blocks than a network has.

    Raises:
        RecipeError: in that case; the message lists them.
    """
    if count > len(material.blocks):
        has = f"{len(material.blocks)}: {', '.join(material.blocks)}" if material.blocks else "no blocks, numbered modules of one kind"
        advice = "" if material.blocks else ". Name what shall move by the scope `layers`, or move all of it by `full`"
        raise RecipeError(f"{count} blocks were asked for, and {material.model} has {has}{advice}.")


def _joined(held: Iterable[Sequence[nn.Parameter]]) -> list[nn.Parameter]:
    return [each for some in held for each in some]


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
        from windtunnel.recipes.scopes.blocks import blocks

        found = blocks(network)
        return _joined([*found.held[-self.blocks :], found.after])


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
        from windtunnel.recipes.scopes.blocks import blocks

        found = blocks(network)
        return _joined([found.before, *found.held[: self.blocks]])


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
        from windtunnel.recipes.scopes.blocks import blocks

        found, count = blocks(network), (epoch - 1) // self.every
        if not count:
            return []
        free = _joined([*found.held[-count:], found.after])
        return [*found.before, *free] if count > len(found.modules) else free
