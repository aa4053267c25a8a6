"""SWA: the mean of the weights after each of the last epochs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.part import Averaging, Fitting, Hooks
from windtunnel.recipes.arguments import Share

if TYPE_CHECKING:
    from torch import Tensor

COUNT, FACTOR = "swa-count", "swa-factor"


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SWA(Averaging):
    """Stochastic weight averaging: from a share of the training on, the rate is constant, and the weights after each epoch are averaged.

    Until then the weights themselves are validated and may be kept as the best; `select: last` keeps the average whatever the figures.

    Args:
        start: share of the stage's epochs before the first that is averaged.
        rate: learning rate while averaging, as a share of the peak; None holds the one that the schedule has come down to by then.
    Source:
        Izmailov et al. 2018, arXiv 1803.05407, algorithm 1 with a constant rate and cycles of one epoch; 75 % of the budget as in section 4.
        Batch statistics are computed anew for the average over one pass. Deviation: that pass sees training inputs without augmentation,
        and only statistics that training moves are computed anew. The rate held by default goes on from the schedule without a jump.
    """

    use: ClassVar[str] = "swa"

    start: Share = 0.75
    rate: Annotated[float, Field(gt=0, le=1)] | None = None

    def begin(self, fitting: Fitting) -> Hooks:
        """The average of a stage."""
        return _Average(self, fitting)


class _Average(Hooks):
    def __init__(self, part: SWA, fitting: Fitting) -> None:
        import torch

        self.part, self.fitting = part, fitting
        for name, tensor in fitting.network.state_dict().items():
            fitting.state[f"swa.{name}"] = tensor.detach().clone()
        fitting.state[COUNT] = torch.zeros((), dtype=torch.long)
        fitting.state[FACTOR] = torch.zeros((), dtype=torch.float64)

    @property
    def averages(self) -> bool:
        """Whether the epoch is one of those that are averaged."""
        return self.fitting.epoch > self.part.start * self.fitting.epochs

    def paced(self, factor: float) -> float:
        if not self.averages:
            return factor
        held = self.fitting.state[FACTOR]
        if not held:
            held.fill_(factor if self.part.rate is None else self.part.rate)
        return float(held)

    def epoch_ended(self) -> None:
        if not self.averages:
            return
        state = self.fitting.state
        state[COUNT] += 1
        for name, tensor in self.fitting.network.state_dict().items():
            average = state[f"swa.{name}"]
            if average.is_floating_point():
                average.lerp_(tensor.detach(), 1 / int(state[COUNT]))
            else:
                average.copy_(tensor)

    def averaged(self) -> Mapping[str, Tensor] | None:
        from windtunnel.recipes.averaging.statistics import moving_norms, refresh

        if not self.fitting.state[COUNT]:
            return None
        network, fitting = self.fitting.network, self.fitting
        own = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
        network.load_state_dict({name.removeprefix("swa."): tensor for name, tensor in fitting.state.items() if name.startswith("swa.")})
        refresh(network, moving_norms(network), fitting.train, fitting.seed, fitting.device)
        found = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
        network.load_state_dict(own)
        return found
