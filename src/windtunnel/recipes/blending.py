"""Blending: networks made of the weights of others, and how they do between them. Imports torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from windtunnel.core.network import Network
from windtunnel.core.recipe import Finetuning
from windtunnel.errors import RecipeError
from windtunnel.recipes.averaging.statistics import differing_norms, refresh
from windtunnel.recipes.judging import Measured, measured
from windtunnel.recipes.training import State, snapshot

POINTS = (0.25, 0.5, 0.75)
"""Where on a segment it is looked for a barrier; Frankle et al. look at thirty points, which takes as many passes over the training split."""


def interpolated(first: Mapping[str, Tensor], second: Mapping[str, Tensor], alpha: float) -> State:
    """The point of the segment that is `alpha` away from `first`; at 0 and 1 an end bit for bit. Counters are those of the nearer end.

    Raises:
        RecipeError: the ends have not the same tensors.
    """
    check_alike([first, second])
    nearer = first if alpha < 0.5 else second
    return {name: torch.lerp(tensor, second[name], alpha) if tensor.is_floating_point() else nearer[name].clone() for name, tensor in first.items()}


def mean(states: Sequence[Mapping[str, Tensor]], shares: Sequence[float]) -> State:
    """The weighted mean, summed in double precision in the order given; counters are those of the first."""
    return {
        name: sum(share * state[name].double() for share, state in zip(shares, states, strict=True)).to(tensor.dtype)  # type: ignore[union-attr]
        if tensor.is_floating_point()
        else tensor.clone()
        for name, tensor in states[0].items()
    }


def check_alike(states: Sequence[Mapping[str, Tensor]]) -> None:
    """Refuse states of networks of different structure.

    Raises:
        RecipeError: a tensor that one lacks, or of another shape.
    """
    shapes = [{name: tuple(tensor.shape) for name, tensor in state.items()} for state in states]
    for other in shapes[1:]:
        differing = sorted(name for name in shapes[0].keys() | other.keys() if shapes[0].get(name) != other.get(name))
        if differing:
            name = differing[0]
            told = " and ".join("none" if each is None else str(list(each)) for each in (shapes[0].get(name), other.get(name)))
            raise RecipeError(
                f"Only networks of one structure can be averaged; of {len(differing)} tensors that differ, {name} is {told}. "
                "Use recipes that leave the same modules, and heads of the same classes."
            )


@dataclass(frozen=True)
class Barrier:
    """How much worse a segment between two networks is than the straight line between their figures: a fall, and a rise; 0 if it is not."""

    accuracy: float
    loss: float


@dataclass(frozen=True)
class Blender:
    """Makes and judges averages of one structure of network.

    Args:
        network: takes the states.
        work: data to compute batch statistics on, and to judge by.
    """

    network: Network
    work: Finetuning

    def blend(self, states: Sequence[State], shares: Sequence[float] = ()) -> State:
        """The mean of some states; batch statistics in which they differ are computed anew over the training split."""
        if len(states) == 1:
            return states[0]
        self.network.load_state_dict(mean(states, shares or [1 / len(states)] * len(states)))
        refresh(self.network, differing_norms(self.network, states), self.work.train, self.work.seed, self.work.device)
        return snapshot(self.network)

    def judge(self, state: State) -> Measured:
        """Figures on the validation split."""
        self.network.load_state_dict(state)
        return measured(self.network, self.work.val, self.work.device)

    def barrier(self, first: State, second: State) -> Barrier:
        """What lies between two networks, at `POINTS` of the segment.

        Source:
            Frankle et al. 2020, arXiv 1912.05671, section 2; the line between the ends as in Entezari et al. 2022, arXiv 2110.06296,
            definition 1. Batch statistics are computed anew at each point, without which activations collapse: Jordan et al. 2023,
            arXiv 2211.08403.
        """
        ends = self.judge(first), self.judge(second)
        fall = rise = 0.0
        for point in POINTS:
            found = self.judge(self.blend([first, second], [1 - point, point]))
            accuracy, loss = ((1 - point) * getattr(ends[0], name) + point * getattr(ends[1], name) for name in ("accuracy", "loss"))
            fall, rise = max(fall, accuracy - found.accuracy), max(rise, found.loss - loss)
        return Barrier(fall, rise)
