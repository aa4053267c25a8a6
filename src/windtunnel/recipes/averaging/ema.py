"""EMA: an exponential moving average of the weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.part import Averaging, Fitting, Hooks
from windtunnel.recipes.arguments import Share

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class EMA(Averaging):
    """After each step the average moves towards the weights; it is what is validated and kept.

    Args:
        decay: share of the average that each step leaves; at step t at most (1 + t) / (10 + t), so that short trainings forget their start.
    Source:
        Polyak and Juditsky 1992; the bound on the decay as in the reference implementation of Tan and Le 2019, arXiv 1905.11946.
        Batch statistics are averaged like weights.
    """

    use: ClassVar[str] = "ema"

    decay: Share = 0.999

    def begin(self, fitting: Fitting) -> Hooks:
        """The average of a stage."""
        return _Average(self.decay, fitting)


class _Average(Hooks):
    def __init__(self, decay: float, fitting: Fitting) -> None:
        import torch

        self.decay, self.fitting = decay, fitting
        for name, tensor in fitting.network.state_dict().items():
            fitting.state[f"ema.{name}"] = tensor.detach().clone()
        fitting.state["ema"] = torch.zeros((), dtype=torch.long)

    def stepped(self) -> None:
        state = self.fitting.state
        state["ema"] += 1
        step = int(state["ema"])
        kept = min(self.decay, (1 + step) / (10 + step))
        for name, tensor in self.fitting.network.state_dict().items():
            average = state[f"ema.{name}"]
            if average.is_floating_point():
                average.lerp_(tensor.detach(), 1 - kept)
            else:
                average.copy_(tensor)

    def averaged(self) -> Mapping[str, Tensor]:
        return {name.removeprefix("ema."): tensor for name, tensor in self.fitting.state.items() if name.startswith("ema.")}
