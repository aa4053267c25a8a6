"""Suite and Benchmark: what is crossed with what. Plain frozen data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

from windtunnel.core.condition import CLEAN, Condition
from windtunnel.core.dataset import DataSource
from windtunnel.core.modality import IMAGE
from windtunnel.core.model import ModelSource
from windtunnel.core.part import Selection as Selecting
from windtunnel.core.recipe import Recipe
from windtunnel.core.threat import Threat
from windtunnel.errors import RecipeError

Selection = Literal["id-val", "oracle"]

UNDER = " @ "
"""Stands between recipe and condition in the name of an entry."""


@dataclass(frozen=True)
class DataRef:
    """One split of one data source: "digits[test]".

    Args:
        source: how it is loaded.
        split: "train", "val" or "test".
    """

    source: DataSource
    split: str

    def __str__(self) -> str:
        return f"{self.source.title}[{self.split}]"


@dataclass(frozen=True)
class Headline:
    """The number a benchmark is ranked by.

    Args:
        how: "worst-case" (a sample counts if it stands under all) or "mean" (average of accuracies).
        threat: name of a threat or of a family ("attack", "corruption", "shift"); None for all threats.
        level: one level; None for all levels of a mean, and the largest of a worst case.
        text: as written.
    """

    how: Literal["worst-case", "mean"]
    threat: str | None
    level: Fraction | None
    text: str


@dataclass(frozen=True)
class Benchmark:
    """A versioned set of threats on a data split.

    Args:
        name: e.g. "digits-linf".
        version: raised whenever a change in the file changes a number.
        data: what is perturbed; None stands for the suite's own data.
        split: split of the suite's data when `data` is None.
        samples: size of the stratified, seeded subset; None for all.
        seed: keys the subset and every draw of the threats.
        threats: name -> threat; the clean evaluation is always added.
        metrics: names of METRICS.
        headline: what it is ranked by.
        modality: of its inputs, "image" or "text", as its task says.
    """

    name: str
    version: int
    data: DataRef | None
    split: str
    samples: int | None
    seed: int
    threats: Mapping[str, Threat]
    metrics: tuple[str, ...]
    headline: Headline
    modality: str = IMAGE


@dataclass(frozen=True)
class Training:
    """How one entry of a suite is trained.

    Args:
        recipe: shown name.
        condition: shown name; "clean" for the data as it is.
        how: the recipe.
        under: the condition; None for the data as it is.
    """

    recipe: str
    condition: str
    how: Recipe
    under: Condition | None

    @property
    def name(self) -> str:
        """Under which the entry is shown: "full @ label-noise 40 %", or the recipe alone on the data as it is."""
        return self.recipe if self.under is None else f"{self.recipe}{UNDER}{self.condition}"


@dataclass(frozen=True)
class Suite:
    """Models x recipes x training conditions x seeds x benchmarks.

    Args:
        name: e.g. "quickstart".
        models: shown name -> source.
        data: what is fine-tuned on.
        recipes: shown name -> recipe.
        benchmarks: what every victim is put through.
        seeds: training seeds.
        selection: which data chooses the checkpoint.
        threads: CPU threads of one cell; part of the key, for it moves float rounding.
        samples: size of a stratified subset of the training split; None for all.
        source: the file's content as plain data, for the manifest; without a file, the options of the command that stands for it.
        conditions: shown name -> condition, None for the data as it is; without any, recipes train on the data as it is.
        val_samples: size of a stratified subset of the split that recipes select on; None for all.
    """

    name: str
    models: Mapping[str, ModelSource]
    data: DataSource
    recipes: Mapping[str, Recipe]
    benchmarks: tuple[Benchmark, ...]
    seeds: tuple[int, ...]
    selection: Selection
    threads: int
    samples: int | None
    source: Mapping[str, Any]
    conditions: Mapping[str, Condition | None] = field(default_factory=dict)
    val_samples: int | None = None

    @cached_property
    def trainings(self) -> Mapping[str, Training]:
        """Every recipe under every condition, by the name of the entry; those that do not train are there once."""
        plain: dict[str, Condition | None] = {CLEAN: None}
        each = [
            Training(recipe, condition, how, under)
            for recipe, how in self.recipes.items()
            for condition, under in (self.conditions if self.conditions and how.trains else plain).items()
        ]
        return {training.name: training for training in each}

    def forbidden(self, recipe: Recipe) -> Iterator[str]:
        """Why it may not carry out a recipe: what it chooses by is what the suite reports on.

        Two threats are the same if they bear the same name, whatever their arguments and library (pgd, torchattacks/PGD). Corruptions of
        another name are another threat, as the extra set of ImageNet-C is published to select by while the common one is reported.
        """
        watched = {_kin(threat): threat.use for each in recipe.within() if isinstance(each, Recipe | Selecting) for threat in each.watched()}
        for benchmark in self.benchmarks:
            clashes = sorted({watched[_kin(threat)] for threat in benchmark.threats.values() if _kin(threat) in watched})
            if clashes:
                held = f"{', '.join(clashes)}, which the benchmark {benchmark.name!r} reports on"
                yield f"It is selected by accuracy under {held}; choose threats to select by that no benchmark of the suite has."
        if self.selection != "oracle" and any(isinstance(each, Recipe) and each.needs_oracle for each in recipe.within()):
            yield "`select: oracle` looks at test data, which a suite allows with `selection: oracle` only; use `select: id-val`."

    def surrogate(self, threat: Threat) -> tuple[str, str] | None:
        """Shown names of the model and the recipe whose victim a transfer attack follows; None for other threats.

        Raises:
            RecipeError: the suite does not train it.
        """
        if threat.follows is None:
            return None
        model, _, recipe = (part.strip() for part in threat.follows.partition("+"))
        if model not in self.models or recipe not in self.trainings:
            raise RecipeError(
                f'{threat.use} follows the surrogate {threat.follows!r}, which the suite does not train. Write "MODEL + RECIPE" with one of its '
                f"models ({', '.join(self.models)}) and one of its recipes ({', '.join(self.trainings)})."
            )
        return model, recipe


def _kin(threat: Threat) -> str:
    """What threats share that are one method under several names."""
    return threat.use.rpartition("/")[2].lower().replace("-", "").replace("_", "")
