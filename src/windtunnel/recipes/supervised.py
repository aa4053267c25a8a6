"""Supervised fine-tuning, composed of parts: what moves, in which stages, on which loss, held back and perturbed how."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.builtins import STAGES
from windtunnel.core.configured import STRICT
from windtunnel.core.modality import IMAGE, TEXT
from windtunnel.core.named import Named, named_arguments
from windtunnel.core.part import Part
from windtunnel.core.recipe import Finetuned, Finetuning, Material, Recipe
from windtunnel.errors import RecipeError
from windtunnel.recipes.arguments import Count, Optimizer, Precision, Rate, Schedule, Share, Weight
from windtunnel.recipes.losses.cross_entropy import CrossEntropy
from windtunnel.recipes.parts import Augmentations, Cleanings, MaybeAveraging, MaybePerturbation, OneLoss, OneScope, OneSelection, Regularisations
from windtunnel.recipes.scopes.whole import Full
from windtunnel.recipes.selection.best import Best
from windtunnel.recipes.stage import Stage

if TYPE_CHECKING:
    from windtunnel.core.network import Network
    from windtunnel.core.resource import Resource


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Supervised(Recipe):
    """Mini-batch training of a pre-trained network and a new linear head, put together from parts.

    On texts the defaults are those that suit transformers: 3 epochs, batch 32, lr 5e-5, warm-up over a tenth of the steps.

    Args:
        scope: which parameters move; the new head always does.
        stages: phases of training, each by what is different in it; one phase if left out.
        epochs: passes over the training split.
        batch: samples a step.
        lr: peak learning rate.
        weight_decay: decoupled for adamw, an L2 term for sgd.
        optimizer: "adamw", or "sgd" with Nesterov momentum 0.9.
        schedule: "cosine" or "linear" to zero, or "constant"; all after a linear warm-up.
        warmup: share of all steps over which the rate rises.
        layer_decay: factor by which the rate falls from one block to the one before it, the head having all of it.
        clip: largest norm of the gradient, beyond which it is scaled down; None leaves it.
        dropout: share of features dropped before the head while training.
        loss: what is minimised on the labels.
        augment: changes of the training inputs, in this order.
        regularise: what holds the network back.
        perturb: training on inputs that are changed against the network.
        average: an average of the weights along the way.
        select: which epoch is kept.
        clean: what is done about bad samples of the training split before it is trained on, in this order.
        patience: stop after so many epochs without a better validation figure; None trains to the end.
        accumulate: parts that a batch is worked through in, to save memory.
        precision: "float32", or "bfloat16" or "float16" for mixed precision; float16 scales its losses on CUDA only, which was never tried.
        checkpointing: whether blocks are computed again in the backward pass, to save memory.
        head_seed: seed of the head's initialisation; that of the run if left out.
    Raises:
        RecipeError: parts that do not go together.
    Source:
        For texts Devlin et al. 2019, arXiv 1810.04805, appendix A.3 (batch 16 or 32; lr 5e-5, 3e-5 or 2e-5; 2 to 4 epochs) and A.2 (warm-up;
        weight decay 0.01). Deviation: after the warm-up the rate falls by a cosine, as on images, and not by a line. Layer-wise decay of
        the rate: Howard and Ruder 2018, arXiv 1801.06146, section 3.2, in the form of Clark et al. 2020, arXiv 2003.10555, table 7.
    """

    use: ClassVar[str] = "finetune"
    version: ClassVar[int] = 1
    libraries: ClassVar[tuple[str, ...]] = ("torch",)
    defaults: ClassVar[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
        {TEXT: MappingProxyType({"epochs": 3, "batch": 32, "lr": 5e-5, "warmup": 0.1})}
    )

    scope: OneScope = Full()
    stages: Annotated[tuple[Stage, ...], Named(STAGES, many=True, implied="stage")] = ()
    epochs: Count = 15
    batch: Count = 64
    lr: Rate = 1e-3
    weight_decay: Weight = 0.01
    optimizer: Optimizer = "adamw"
    schedule: Schedule = "cosine"
    warmup: Share = 0.05
    layer_decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    clip: Rate | None = None
    dropout: Share = 0.0
    loss: OneLoss = CrossEntropy()
    augment: Augmentations = ()
    regularise: Regularisations = ()
    perturb: MaybePerturbation = None
    average: MaybeAveraging = None
    select: OneSelection = Best()
    clean: Cleanings = ()
    patience: Count | None = None
    accumulate: Count = 1
    precision: Precision = "float32"
    checkpointing: bool = False
    head_seed: Annotated[int, Field(ge=0)] | None = None

    def __post_init__(self) -> None:
        if self.patience is not None and self.select.last:
            raise RecipeError(
                "patience stops when the validation figure no longer improves, but `select` keeps the last epoch; leave one of them out."
            )
        mixing = [part.use for part in self.augment if part.mixes]
        if len(mixing) > 1:
            raise RecipeError(f"A sample can be mixed with one other, but `augment` mixes by {' and by '.join(mixing)}; keep one of them.")

    def phases(self) -> Iterator[tuple[str, Supervised]]:
        """Name and recipe of each stage; the one stage of a recipe without any is called after its scope."""
        if not self.stages:
            yield self.scope.title, self
        for stage in self.stages:
            phase = dataclasses.replace(self, stages=(), **stage.differences())
            yield stage.name or phase.scope.title, phase

    def parts(self) -> Iterator[Part]:
        """Every part of one stage."""
        yield from (*self.clean, self.scope, self.loss, *self.augment, *self.regularise, self.select)
        yield from (part for part in (self.perturb, self.average) if part is not None)

    @property
    def modalities(self) -> tuple[str, ...]:
        """Those that all its parts can be trained on."""
        held = [part.modalities for _, phase in self.phases() for part in phase.parts()]
        return tuple(each for each in (IMAGE, TEXT) if all(each in modalities for modalities in held))

    def restricting(self) -> Mapping[str, Any]:
        """The parts that are not for every modality."""
        found = {}
        for _, phase in self.phases():
            for name in named_arguments(type(phase)):
                held = getattr(phase, name)
                narrow = [each.use for each in (held if isinstance(held, tuple) else [held]) if isinstance(each, Part) and len(each.modalities) < 2]
                found.update({name: ", ".join(narrow)} if narrow else {})
        return found

    def passes(self, samples: int) -> float:
        """Forward and backward of every stage, and what its parts cost; one forward for features that are computed once."""
        stages = [phase for _, phase in self.phases()]
        looked = any(each.reads_features for each in self.clean) and not any(phase.on_features for phase in stages)
        return samples * (sum(phase.stage_passes() for phase in stages) + looked)

    def stage_passes(self) -> float:
        """Passes a sample of one stage."""
        extra = sum(part.passes() for part in self.parts())
        return 1.0 if self.on_features else self.epochs * (2.0 + extra)

    @property
    def replays(self) -> int:
        """Steps made on each minibatch."""
        return self.perturb.replays if self.perturb else 1

    @property
    def on_features(self) -> bool:
        """Whether features computed once are all that a stage has to see of its inputs."""
        tricks = (*self.augment, *self.regularise, *([self.perturb] if self.perturb else ()))
        return self.scope.keeps_backbone and not tricks and not self.loss.sees_inputs and not any(self.select.watched())

    def together(self) -> Supervised | None:
        """The same but for rate, decay and schedule, if it trains a head alone and in the plainest way."""
        if self.stages or not self.on_features or not self.loss.rowwise:
            return None
        alike = dataclasses.replace(self, lr=1, weight_decay=0, schedule="constant", warmup=0, layer_decay=1)
        plain = dataclasses.replace(alike, optimizer="adamw", clip=None, average=None, patience=None, accumulate=1, precision="float32")
        return alike if alike == plain else None

    def finetune_together(self, recipes: Sequence[Recipe], work: Finetuning) -> Iterator[Finetuned | None]:
        """Many heads on features that are computed once."""
        from windtunnel.recipes.stages import carry_out_together

        return carry_out_together([each for each in recipes if isinstance(each, Supervised)], work)

    def check(self, material: Material) -> None:
        """Refuse data that cannot train a classifier, and what any part refuses."""
        count = sum(material.classes)
        if sum(1 for each in material.classes if each) < 2:
            raise RecipeError(f"The training split of {material.data} holds a single class; fine-tuning a classifier needs at least two.")
        if not material.val:
            needed = "early stopping (`patience`)" if self.patience is not None else "choosing the epoch that is kept"
            raise RecipeError(f"{material.data} has no validation split, which {needed} needs; give the data one.")
        for _, phase in self.phases():
            if phase.batch > count:
                raise RecipeError(
                    f"A batch of {phase.batch} is larger than the {count} training samples of {material.data}; give `batch` at most {count}."
                )
            if phase.layer_decay < 1 and not material.blocks:
                raise RecipeError(f"layer_decay lets the rate fall from block to block, and {material.model} has no blocks; leave it at 1.")
            for part in phase.parts():
                part.check(material)

    def resources(self) -> Sequence[tuple[str, Resource]]:
        """What any part reads."""
        return [pair for _, phase in self.phases() for part in phase.parts() for pair in part.resources()]

    def rebuild(self, network: Network) -> None:
        """Insert what a scope leaves in the network."""
        for _, phase in self.phases():
            if phase.scope.stays:
                phase.scope.insert(network, 0)

    def finetune(self, work: Finetuning) -> Finetuned:
        """All stages, one after the other."""
        from windtunnel.recipes.stages import carry_out

        return carry_out(self, work)
