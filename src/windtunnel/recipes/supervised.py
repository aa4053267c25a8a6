"""Supervised: the hyper-parameters that every gradient-trained recipe shares."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.modality import IMAGE, TEXT
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
    version: ClassVar[int] = 2


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Augmenting(Supervised):
    """Mini-batch training of a whole network, on clean or augmented batches.

    On texts the defaults are those that suit transformers: 3 epochs, batch 32, lr 5e-5, warm-up over a tenth of the steps.

    Args:
        augment: "none", or "augmix" for AugMix with its Jensen-Shannon consistency loss (see `recipes.augmix`), on images only.
        l2_sp: strength of L2-SP, which draws the backbone to where it started: half of it times the squared distance is added to the loss.
            The backbone then does not decay towards zero; `weight_decay` acts on the head.
    Source:
        L2-SP: Li et al. 2018, arXiv 1802.01483, section 3. Deviation: with adamw the pull goes through the step sizes that it adapts; the
        paper trains by sgd.
        For texts Devlin et al. 2019, arXiv 1810.04805, appendix A.3 (batch 16 or 32; lr 5e-5, 3e-5 or 2e-5; 2 to 4 epochs) and A.2 (warm-up;
        weight decay 0.01). Deviation: after the warm-up the rate falls by a cosine, as on images, and not by a line.
    """

    defaults: ClassVar[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
        {TEXT: MappingProxyType({"epochs": 3, "batch": 32, "lr": 5e-5, "warmup": 0.1})}
    )

    augment: Literal["none", "augmix"] = "none"
    l2_sp: Annotated[float, Field(ge=0)] = 0.0

    @property
    def modalities(self) -> tuple[str, ...]:
        """Any without augmentation; AugMix mixes pixels."""
        return (IMAGE, TEXT) if self.augment == "none" else (IMAGE,)

    def restricting(self) -> Mapping[str, Any]:
        """AugMix."""
        return {} if self.augment == "none" else {"augment": self.augment}
