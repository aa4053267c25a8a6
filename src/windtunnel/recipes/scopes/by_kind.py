"""Scopes that pick parameters by what they are: those of normalisation layers, biases, or layers by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.part import Scope
from windtunnel.core.recipe import Material
from windtunnel.errors import RecipeError, suggest

if TYPE_CHECKING:
    from torch import nn

    from windtunnel.core.network import Network


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Norms(Scope):
    """Scale and shift of every normalisation layer move; batch normalisation goes on counting its statistics.

    Source:
        Frankle et al. 2021, arXiv 2003.00152 (batch normalisation); Qi et al. 2022, arXiv 2211.08682 (layer normalisation). The head
        moves, too.
    """

    use: ClassVar[str] = "norms"

    def parameters(self, network: Network, epoch: int, epochs: int) -> Sequence[nn.Parameter]:
        """Of the normalisation layers."""
        found = normalisations(network.backbone)
        if not found:
            raise RecipeError(f"The network has no normalisation layer with parameters; its layers are {_kinds(network.backbone)}.")
        return found


def normalisations(backbone: nn.Module) -> list[nn.Parameter]:
    """The parameters of normalisation layers: of modules without inner ones with parameters, whose class or its base is called a norm."""

    def normalises(module: nn.Module) -> bool:
        return any("norm" in base.__name__.lower() for base in type(module).__mro__) and not any(
            True for child in module.children() for _ in child.parameters()
        )

    return _once(parameter for module in backbone.modules() if normalises(module) for parameter in module.parameters(recurse=False))


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Biases(Scope):
    """Every bias of the backbone moves: BitFit. Batch normalisation, whose shift is a bias, goes on counting its statistics.

    Source:
        Ben Zaken et al. 2022, arXiv 2106.10199, section 3; the biases of normalisation layers are among them, and the head moves, too.
    """

    use: ClassVar[str] = "biases"

    def parameters(self, network: Network, epoch: int, epochs: int) -> Sequence[nn.Parameter]:
        """Those called a bias."""
        found = [each for name, each in network.backbone.named_parameters() if name.rpartition(".")[2].endswith("bias")]
        if not found:
            raise RecipeError(f"The network has no bias; its layers are {_kinds(network.backbone)}.")
        return found


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Layers(Scope):
    """Layers move that are named, each with all that is inside it.

    Args:
        names: of modules or parameters of the backbone, such as "layer4" or "blocks.3.attn".
    Source:
        For choosing layers by the kind of shift Lee et al. 2023, arXiv 2210.11466.
    """

    use: ClassVar[str] = "layers"

    names: Annotated[tuple[str, ...], Field(min_length=1)]

    def check(self, material: Material) -> None:
        """The network must have every one of them."""
        for name in self.names:
            # A name may go one step further than a layer, to one of its parameters.
            if not any(_inside(each, name) or name.rpartition(".")[0] == each for each in material.layers):
                raise RecipeError(f"{material.model} has no layer {name!r} with parameters. {_near(name, material.layers)}")

    def parameters(self, network: Network, epoch: int, epochs: int) -> Sequence[nn.Parameter]:
        """Of the layers named, in the order of the network."""
        held = dict(network.backbone.named_parameters(remove_duplicate=False))
        for name in self.names:
            if not any(_inside(each, name) for each in held):
                raise RecipeError(f"The network has no layer {name!r} with parameters. {_near(name, held)}")
        return _once(parameter for each, parameter in held.items() if any(_inside(each, name) for name in self.names))


def _inside(parameter: str, name: str) -> bool:
    return parameter == name or parameter.startswith(f"{name}.")


def _near(name: str, held: Iterable[str]) -> str:
    """What there is in the place where the name goes wrong."""
    parts = name.split(".")
    start = next(count for count in range(len(parts) - 1, -1, -1) if not count or any(_inside(each, ".".join(parts[:count])) for each in held))
    place = ".".join(parts[:start])
    inside = [each for each in held if not place or each.startswith(f"{place}.")]
    choices = dict.fromkeys(".".join(each.split(".")[: start + 1]) for each in inside)
    return suggest(name, choices) or f"There is {', '.join(list(choices)[:3])} and so on to {list(choices)[-1]}."


def _once(parameters: Iterable[nn.Parameter]) -> list[nn.Parameter]:
    return list({id(each): each for each in parameters}.values())


def _kinds(backbone: nn.Module) -> str:
    kinds = dict.fromkeys(type(each).__name__ for each in backbone.modules() if not any(True for _ in each.children()))
    return ", ".join(list(kinds)[:10])
