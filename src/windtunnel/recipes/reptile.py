"""Reptile: before fine-tuning, weights from which a few steps suffice for any of many small tasks."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.modality import IMAGE, TEXT
from windtunnel.core.recipe import Finetuned, Finetuning, Material, Recipe
from windtunnel.errors import RecipeError
from windtunnel.recipes.arguments import Count
from windtunnel.recipes.continued import continuable
from windtunnel.recipes.parts import OneRecipe
from windtunnel.recipes.supervised import Supervised

INNER = MappingProxyType({"epochs": 1, "batch": 10, "schedule": "constant", "warmup": 0.0})
"""Five steps on 5 classes of 10 samples, at a constant rate: the paper's inner iterations and batch on Omniglot, table 3 (appendix A)."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Reptile(Recipe):
    """First-order meta-learning on small tasks made of the training split, then fine-tuning on all of it.

    A task is some samples of some classes. The network trains on one for a few steps, and its weights move a part of the way that these steps
    went; then comes the next task.

    Args:
        task: how the network trains on a task, a recipe of one stage that trains through the backbone.
        iterations: tasks.
        ways: classes of a task.
        shots: samples of each; all of a class that has fewer.
        step: the part of the way at first; it falls in a line to zero.
        then: the fine-tuning that follows.
    Raises:
        RecipeError: parts that train in stages, on features alone, or with modules of their own; data of fewer classes than `ways`.
    Source:
        Nichol et al. 2018, arXiv 1803.02999, section 3 (algorithm 1) and appendix A.
    Deviation:
        Tasks are made of the classes that are fine-tuned on, each under its own label, so that the head is meta-learned, too; in the paper they
        are classes that are never met again, numbered anew in each task. A hundred tasks by default, 100,000 in the paper. The inner
        optimiser is the recipe's, adamw with its usual momentum, begun anew for each task; the paper's adam has a first momentum of zero.
    """

    use: ClassVar[str] = "reptile"
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "torch")
    defaults: ClassVar[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
        {TEXT: MappingProxyType({"task": Supervised.suited(TEXT, **INNER), "then": Supervised.suited(TEXT)})}
    )

    task: OneRecipe = Supervised(**INNER)  # type: ignore[arg-type]  # they are what it takes
    iterations: Count = 100
    ways: Annotated[int, Field(ge=2)] = 5
    shots: Count = 10
    step: Annotated[float, Field(ge=0, le=1)] = 1.0
    then: OneRecipe = Supervised()

    def __post_init__(self) -> None:
        continuable(self.task, self.use, "task")
        continuable(self.then, self.use, "then")

    @property
    def modalities(self) -> tuple[str, ...]:
        """Those of both recipes."""
        return tuple(each for each in (IMAGE, TEXT) if each in self.task.modalities and each in self.then.modalities)

    def restricting(self) -> Mapping[str, Any]:
        """What restricts them."""
        return {**self.task.restricting(), **self.then.restricting()}

    def passes(self, samples: int) -> float:
        """Those of the tasks and of the fine-tuning."""
        return self.iterations * self.task.passes(self.ways * self.shots) + self.then.passes(samples)

    def check(self, material: Material) -> None:
        """There must be as many classes as a task has."""
        held = sum(1 for count in material.classes if count)
        if self.ways > held:
            raise RecipeError(f"A task of {self.ways} classes cannot be made of {material.data}, which has {held}; give `ways` at most {held}.")
        for part in (self.task, self.then):
            part.check(material)

    def finetune(self, work: Finetuning) -> Finetuned:
        """The tasks, then all samples."""
        from windtunnel.recipes.meta import meta_learned

        return meta_learned(self, work)
