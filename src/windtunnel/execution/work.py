"""Work: what one cell asks to be done, and what of it enters its key; no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from windtunnel.core import canonical
from windtunnel.core.cell import Cell
from windtunnel.core.condition import Condition
from windtunnel.core.dataset import DataSource
from windtunnel.core.model import ModelSource
from windtunnel.core.recipe import Recipe
from windtunnel.core.suite import DataRef
from windtunnel.core.threat import Threat
from windtunnel.provenance import versions

PRECISION = "float32"


@dataclass(frozen=True)
class Samples:
    """The samples of one evaluation.

    Args:
        data: where they come from.
        indices: rows of the split; None while the data is unknown.
        count: how many.
        fingerprint: of the data.
        sha256: digest over the ids, in order.
    """

    data: DataRef
    indices: tuple[int, ...] | None
    count: int
    fingerprint: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class Finetune:
    """The work of one fine-tuning cell.

    Args:
        train: before the condition acts on them; None where nothing is trained.
        val: what the recipe selects on; None where nothing is trained.
        condition: how the training data is bad; None for the data as it is.
        seed: of the training, and of what the condition draws, so that the seeds of a suite vary over both.
    """

    cell: Cell
    model: ModelSource
    recipe: Recipe
    data: DataSource
    train: Samples | None
    val: Samples | None
    seed: int
    condition: Condition | None = None


@dataclass(frozen=True)
class Evaluate:
    """The work of one evaluation cell: what to do to the victim that `finetune` makes."""

    cell: Cell
    finetune: Finetune
    threat: Threat
    samples: Samples
    seed: int
    surrogate: Finetune | None = None


Work = Finetune | Evaluate


def members(work: Finetune, classes: Sequence[str]) -> Iterator[Finetune]:
    """The work of every member that is known before, and of the members of these."""
    for recipe, seed in work.recipe.members(work.seed):
        member = member_of(work, recipe, seed, classes)
        yield member
        yield from members(member, classes)


def member_of(work: Finetune, recipe: Recipe, seed: int, classes: Sequence[str]) -> Finetune:
    """The work of another recipe on the material of `work`, under the key that it has in a suite that lists it.

    Args:
        classes: names of the data's classes.
    """
    content = work.cell.content
    assert content is not None, "members are carried out only when their data is known"
    assert work.train is not None, "a recipe that is made of others trains"
    train, val = (work.train, work.val) if recipe.trains else (None, None)
    seen = content["data"] if recipe.trains else untrained(classes)
    labels = replace(work.cell.labels, recipe=recipe.use, seed=seed)
    condition = work.condition if recipe.trains else None
    described = trained(content["model"], work.model, recipe, seen, seed, content["threads"], condition)
    cell = Cell("finetune", labels, described, recipe.passes(work.train.count if recipe.trains else 0))
    return replace(work, cell=cell, recipe=recipe, train=train, val=val, seed=seed, condition=condition)


def trained(
    model: Mapping[str, Any], source: ModelSource, recipe: Recipe, data: Mapping[str, Any], seed: int, threads: int, condition: Condition | None
) -> dict[str, Any]:
    """Everything meant to change what a fine-tuning leaves."""
    under = {} if condition is None else {"condition": condition.describe()}
    computed = computed_by(threads, source.computed_with, recipe.packages(), condition.packages() if condition else ())
    return {"model": model, "recipe": recipe.describe(), "data": data, "seed": seed, **under, **computed}


def untrained(classes: Sequence[str]) -> dict[str, str]:
    """What a recipe that does not train sees of the data."""
    return {"classes": canonical.sha256(list(classes))}


@cache
def computed_by(threads: int, *libraries: tuple[str, ...]) -> Mapping[str, Any]:
    """What computes a number: precision, CPU threads, and the versions of the libraries."""
    names = {"torch", "numpy", *(name for group in libraries for name in group)}
    return {"precision": PRECISION, "threads": threads, "libraries": versions(names)}
