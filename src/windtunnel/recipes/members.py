"""Members: recipes that other recipes are made of, as far as can be told before anything is trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from windtunnel.core.configured import Configured
from windtunnel.core.modality import IMAGE, TEXT
from windtunnel.core.part import Scope
from windtunnel.core.recipe import Recipe
from windtunnel.recipes.supervised import Supervised


def common_modalities(recipes: Sequence[Recipe]) -> tuple[str, ...]:
    """The inputs that all of some recipes can be trained on."""
    return tuple(each for each in (IMAGE, TEXT) if all(each in recipe.modalities for recipe in recipes))


def inserts(recipe: Recipe) -> bool:
    """Whether a scope of it adds modules."""
    return any(isinstance(each, Scope) and each.inserts for each in recipe.within())


def stays(recipe: Recipe) -> bool:
    """Whether what a scope of it adds is part of the victim."""
    return any(isinstance(each, Scope) and each.stays for each in recipe.within())


def started(recipe: Recipe, seed: int) -> Recipe:
    """The recipe with a seed for its head's initialisation, unless it has one."""
    if isinstance(recipe, Supervised):
        return dataclasses.replace(recipe, head_seed=seed) if recipe.head_seed is None else recipe
    nested = {field.name: getattr(recipe, field.name) for field in dataclasses.fields(recipe)}  # type: ignore[arg-type]  # every recipe is one
    changed = {name: _started(value, seed) for name, value in nested.items() if _recipes(value)}
    return dataclasses.replace(recipe, **changed) if changed else recipe  # type: ignore[type-var]  # as above


def _started(value: Configured | tuple[Configured, ...], seed: int) -> object:
    if isinstance(value, tuple):
        return tuple(_started(each, seed) for each in value)
    return started(value, seed) if isinstance(value, Recipe) else value


def _recipes(value: object) -> bool:
    return isinstance(value, Recipe) or (isinstance(value, tuple) and any(isinstance(each, Recipe) for each in value))


def origin(recipe: Recipe) -> tuple[tuple[int | None, bool], ...]:
    """Where the backbone of a recipe's networks begins to move: the head's own seed, and whether the head is trained by itself before."""
    found = [each for each in recipe.within() if isinstance(each, Supervised)]
    return tuple((each.head_seed, next(phase.scope.keeps_backbone for _, phase in each.phases())) for each in found)
