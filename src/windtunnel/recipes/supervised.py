"""Supervised: the hyper-parameters that every gradient-trained recipe shares."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.recipe import Recipe

Optimizer = Literal["adamw", "sgd"]
Schedule = Literal["cosine", "constant"]
Share = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(gt=0)]
Rate = Annotated[float, Field(gt=0)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Supervised(Recipe):
    """Hyper-parameters of mini-batch training.

    Args:
        epochs: passes over the training split.
        batch: samples a step.
        lr: peak learning rate.
        weight_decay: decoupled for adamw, an L2 term for sgd.
        optimizer: "adamw", or "sgd" with Nesterov momentum 0.9.
        schedule: "cosine" to zero, or "constant"; both after a linear warm-up.
        warmup: share of all steps over which the rate rises.
        label_smoothing: probability mass spread over the classes.
        dropout: share of features dropped before the head while training.
        patience: stop after so many epochs without a better validation figure; None trains to the end.
    """

    epochs: Count = 15
    batch: Count = 64
    lr: Rate = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    optimizer: Optimizer = "adamw"
    schedule: Schedule = "cosine"
    warmup: Share = 0.05
    label_smoothing: Share = 0.0
    dropout: Share = 0.0
    patience: Count | None = None

    libraries: ClassVar[tuple[str, ...]] = ("torch",)
