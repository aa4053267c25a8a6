"""Material on which a recipe can carry out others, and what it carried out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import torch

from windtunnel.core.recipe import Finetuned, Finetuning, Recipe
from windtunnel.recipes.carrying import Members

Carried = list[tuple[Recipe, int]]


def with_members(work: Callable[..., Finetuning], seed: int = 0, **data: Any) -> tuple[Finetuning, Carried]:
    """Material for a recipe that is made of others, and a list that grows by each member with its seed."""
    carried: Carried = []

    members = Members(lambda recipe, seed: work(seed, **data))

    def member(recipe: Recipe, seed: int) -> Finetuned:
        carried.append((recipe, seed))
        return members.member(recipe, seed)

    return dataclasses.replace(members.fitted(work(seed, **data)), member=member), carried


def equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    """Whether two states are the same, bit for bit."""
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
