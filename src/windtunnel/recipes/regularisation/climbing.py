"""Climbing: weights that are moved uphill before the gradient is taken at which the step is made. Imports torch."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from windtunnel.core.part import Fitting, Hooks

TINY = 1e-12
"""Keeps a gradient of zero from dividing by zero."""


class Climbing(Hooks):
    """Moves weights by a rule and puts them back bit for bit.

    Batch statistics are counted once, with the weights where they stand: in between, batch norms normalise by the batch and remember nothing.
    """

    climbs: ClassVar[bool] = True

    def __init__(self, fitting: Fitting) -> None:
        self.network = fitting.network
        self.before: dict[nn.Parameter, Tensor] = {}
        self.norms: list[_BatchNorm] = []

    @abstractmethod
    def moves(self, slopes: Mapping[str, tuple[nn.Parameter, Tensor]]) -> Mapping[str, Tensor]:
        """How far each parameter moves, by its name, given itself and its gradient."""

    @torch.no_grad()
    def climb(self) -> None:
        """Move, remembering where from."""
        slopes = {name: (each, each.grad) for name, each in self.network.named_parameters() if each.grad is not None}
        for name, move in self.moves(slopes).items():
            parameter = slopes[name][0]
            self.before[parameter] = parameter.detach().clone()
            parameter.add_(move)
        self.norms = [each for each in self.network.modules() if isinstance(each, _BatchNorm) and each.track_running_stats]
        self._remember(on=False)

    @torch.no_grad()
    def settle(self) -> None:
        """Back, bit for bit."""
        for parameter, value in self.before.items():
            parameter.copy_(value)
        self.before.clear()
        self._remember(on=True)

    def _remember(self, *, on: bool) -> None:
        for norm in self.norms:
            norm.track_running_stats = on


class Sharp(Climbing):
    """The moves of SAM, and with `eta` those of ASAM.

    Args:
        rho: length of the move.
        eta: added to the size of each weight, by which moves are measured; None measures them as they are.
    """

    def __init__(self, fitting: Fitting, rho: float, eta: float | None = None) -> None:
        super().__init__(fitting)
        self.rho, self.eta = rho, eta

    def moves(self, slopes: Mapping[str, tuple[nn.Parameter, Tensor]]) -> Mapping[str, Tensor]:
        """Along the gradient, over all parameters together."""
        sizes = {name: self._size(name, parameter) for name, (parameter, _) in slopes.items()}
        length = torch.stack([(sizes[name] * slope).norm() for name, (_, slope) in slopes.items()]).norm()
        return {name: self.rho / (length + TINY) * sizes[name] ** 2 * slope for name, (_, slope) in slopes.items()}

    def _size(self, name: str, parameter: Tensor) -> Tensor:
        return parameter.abs() + self.eta if self.eta is not None and "weight" in name else torch.ones_like(parameter)


class Adverse(Climbing):
    """The moves of AWP.

    Args:
        gamma: length of each layer's move as a share of its own.
    """

    def __init__(self, fitting: Fitting, gamma: float) -> None:
        super().__init__(fitting)
        self.gamma = gamma

    def moves(self, slopes: Mapping[str, tuple[nn.Parameter, Tensor]]) -> Mapping[str, Tensor]:
        """Along the gradient, for each layer by itself."""
        layers = {name: pair for name, pair in slopes.items() if "weight" in name and pair[0].ndim > 1}
        return {name: self.gamma * parameter.norm() / (slope.norm() + TINY) * slope for name, (parameter, slope) in layers.items()}
