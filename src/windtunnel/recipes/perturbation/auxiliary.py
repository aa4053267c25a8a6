"""Auxiliary batch norms: a second one for each of a network's, put in its place for a while. Imports torch."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from windtunnel.core.part import Fitting
from windtunnel.recipes.perturbation.advprop import lacking


class Auxiliary:
    """Copies of all batch norms of a network that is being trained; their running statistics live in `fitting.state`.

    Raises:
        RecipeError: there are none; the message lists what normalises instead.
    """

    def __init__(self, fitting: Fitting) -> None:
        self.network, self.state = fitting.network, fitting.state
        self.norms = {name: module for name, module in self.network.named_modules() if isinstance(module, _BatchNorm)}
        if not self.norms:
            raise lacking("this network", (type(module).__name__ for module in self.network.modules()))
        self.others = {name: copy.deepcopy(module).requires_grad_() for name, module in self.norms.items()}
        for name, module in self.others.items():
            self.state.update({f"advprop.{name}.{key}": value for key, value in module.named_buffers()})

    def parameters(self) -> Sequence[nn.Parameter]:
        """Theirs."""
        return [each for module in self.others.values() for each in module.parameters()]

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Inside, they are in the place of the network's own."""
        for name, module in self.others.items():
            for key, _ in module.named_buffers():
                setattr(module, key, self.state[f"advprop.{name}.{key}"])  # a resume puts other tensors there
            module.training = self.norms[name].training
        self._put(self.others)
        try:
            yield
        finally:
            self._put(self.norms)

    def _put(self, modules: dict[str, _BatchNorm]) -> None:
        for name, module in modules.items():
            parent, _, leaf = name.rpartition(".")
            setattr(self.network.get_submodule(parent), leaf, module)
