"""The blocks of a network, by one rule for ResNets, vision transformers and language models. Imports torch."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from torch import nn

from windtunnel.core.network import Network
from windtunnel.errors import RecipeError

TRUNK = 1 / 3
"""Share of its parent's parameters, embeddings apart, that a run of like modules must hold to be its blocks; ours."""

CONTAINERS = (nn.Sequential, nn.ModuleList)

Child = tuple[str, nn.Module]


@dataclass(frozen=True)
class Blocks:
    """A backbone from its input to its output.

    Args:
        before: parameters ahead of the first block: a stem, patch, position and word embeddings.
        names: of the blocks, in their order.
        modules: the blocks.
        held: the parameters of each block, with those of what lies between it and the block before it.
        after: parameters behind the last block: a final normalisation, a pooling layer.
    """

    before: tuple[nn.Parameter, ...]
    names: tuple[str, ...]
    modules: tuple[nn.Module, ...]
    held: tuple[tuple[nn.Parameter, ...], ...]
    after: tuple[nn.Parameter, ...]


def blocks(network: Network) -> Blocks:
    """The blocks of a network; see `blocks_of`."""
    return blocks_of(network.backbone)


def blocks_of(backbone: nn.Module) -> Blocks:
    """The blocks of a backbone: the layers of a transformer, the stages of a convolutional network.

    From the backbone downwards, heavy children first: the first run of two or more that are made of other modules, are numbered alike
    and hold a good part of their parent's parameters.

    Raises:
        RecipeError: there is no such run.
    """
    run = _run("", backbone)
    if not run:
        raise RecipeError(
            f"The network has no blocks, numbered modules of one kind: {_listed(backbone)}. "
            "Name what shall move by the scope `layers`, or move all of it by `full`."
        )
    return _around(backbone, run)


def layers_of(backbone: nn.Module) -> dict[str, str]:
    """Name of each module that has parameters of its own -> its kind."""
    own = ((name, module) for name, module in backbone.named_modules() if next(module.parameters(recurse=False), None) is not None)
    return {name: type(module).__name__ for name, module in own}


def structure(backbone: nn.Module) -> tuple[dict[str, str], tuple[str, ...]]:
    """Layers of a backbone, and names of its blocks, of which it may have none."""
    try:
        return layers_of(backbone), blocks_of(backbone).names
    except RecipeError:
        return layers_of(backbone), ()


def _run(name: str, module: nn.Module) -> Sequence[Child]:
    children = [(f"{name}.{key}".lstrip("."), child) for key, child in module.named_children() if _weight(child)]
    runs: dict[Hashable, list[Child]] = {}
    for each in children:
        kind = _kind(*each)
        if kind is not None:
            runs.setdefault(kind, []).append(each)
    longest = max(runs.values(), key=_weights, default=[])
    if len(longest) > 1 and _weights(longest) > TRUNK * _weights(children):
        return longest
    deeper = (_run(*child) for child in sorted(children, key=lambda each: -_weight(each[1])))
    return next((found for found in deeper if found), [])


def _kind(name: str, module: nn.Module) -> Hashable:
    """What siblings have in common that make a run: the name before its number, or the class where a number is all their name.

    A single layer makes none. A plain container of single layers may be a stem or a downsampling: it is of a kind of its own, and of
    none if it has a name.
    """
    inner = list(module.children())
    stem = re.split(r"\d", name.rpartition(".")[2])[0]
    layers = type(module) in CONTAINERS and not any(True for child in inner for _ in child.children())
    if not inner or (layers and stem):
        return None
    return stem or type(module), layers


def _weights(children: Sequence[Child]) -> int:
    return sum(_weight(child) for _, child in children)


def _weight(module: nn.Module) -> int:
    """Parameters but for those of embeddings."""
    embedded = _embeddings(module)
    return sum(each.numel() for each in module.parameters() if id(each) not in embedded)


def _embeddings(module: nn.Module) -> set[int]:
    return {id(each) for part in module.modules() if isinstance(part, nn.Embedding) for each in part.parameters()}


def _around(backbone: nn.Module, run: Sequence[Child]) -> Blocks:
    """All parameters in the order in which they are registered, cut where the blocks end; embeddings come first wherever they are."""
    inside = {id(each): place for place, (_, module) in enumerate(run) for each in module.parameters()}
    embedded = _embeddings(backbone)
    before: list[nn.Parameter] = []
    held: list[list[nn.Parameter]] = [[] for _ in run]
    waiting: list[nn.Parameter] = []
    begun = False
    for each in backbone.parameters():
        if id(each) in inside:
            held[inside[id(each)]] += [*waiting, each]
            waiting, begun = [], True
        elif begun and id(each) not in embedded:
            waiting.append(each)
        else:
            before.append(each)
    names, modules = zip(*run, strict=True)
    return Blocks(tuple(before), names, modules, tuple(tuple(each) for each in held), tuple(waiting))


def _listed(module: nn.Module) -> str:
    names = [name for name, _ in module.named_children()]
    return f"it is made of {', '.join(names)}" if names else "it is one single module"


def depths(network: Network) -> dict[int, int]:
    """By id of a parameter, how many blocks it is away from the head: 0 behind the blocks, 1 in the last one, and so on to the stem."""
    found = blocks(network)
    count = len(found.modules)
    away = {id(each): count - place for place, held in enumerate(found.held) for each in held}
    return {**away, **{id(each): count + 1 for each in found.before}, **{id(each): 0 for each in found.after}}
