"""Rates: how much of a network is left out at random while it trains. Imports torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch import nn
from torch.nn.modules.dropout import _DropoutNd

from windtunnel.core.part import Hooks

PATHS = ("drop_path", "drop_path1", "drop_path2")
"""Where blocks of timm leave out their residual path; nothing or the identity where the rate was 0 when they were made."""


def rate_name(module: nn.Module) -> str | None:
    """The attribute that holds the rate of a module which leaves out values or paths."""
    if isinstance(module, _DropoutNd) or type(module).__name__ == "StochasticDepth":
        return "p"
    return "drop_prob" if type(module).__name__ == "DropPath" else None


def paths(backbone: nn.Module) -> Iterator[tuple[nn.Module, str]]:
    """Every place of a residual block where its path may be left out, from input to output: the module, and the name of its child."""
    for module in backbone.modules():
        if type(module).__name__ == "DropPath":
            continue
        for name in PATHS:
            there = getattr(module, name, False)
            if there is None or isinstance(there, nn.Module):
                yield module, name
        for name, child in module.named_children():
            if type(child).__name__ == "StochasticDepth":
                yield module, name


class Set(Hooks):
    """Modules whose attributes are other ones while a stage runs.

    Args:
        values: module to the attribute and its value.
    """

    def __init__(self, values: Mapping[Any, Mapping[str, object]]) -> None:
        self.before = [(module, name, getattr(module, name)) for module, named in values.items() for name in named]
        for module, named in values.items():
            for name, value in named.items():
                setattr(module, name, value)

    def ended(self) -> None:
        """What they were."""
        for module, name, value in self.before:
            setattr(module, name, value)
