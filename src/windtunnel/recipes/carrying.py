"""Carrying out members in memory, for recipes that are made of others; those that go together as one. Imports torch."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Sequence

from windtunnel.core.recipe import Finetuned, Finetuning, Recipe, together
from windtunnel.errors import RecipeError


class Members:
    """Carries out recipes, each on material of its own.

    Args:
        material: fresh material for a recipe and a seed; refuses a recipe that cannot be carried out on it.
    """

    def __init__(self, material: Callable[[Recipe, int], Finetuning]) -> None:
        self._material = material
        self._made: list[tuple[tuple[Recipe, int], Finetuned]] = []

    def member(self, recipe: Recipe, seed: int) -> Finetuned:
        """What a recipe leaves.

        Raises:
            RecipeError: it cannot be carried out.
        """
        for place, (known, done) in enumerate(self._made):
            if known == (recipe, seed):
                del self._made[place]
                return done
        return recipe.finetune(self.fitted(self._material(recipe, seed)))

    def fitted(self, material: Finetuning) -> Finetuning:
        """Material whose members are carried out here."""
        return dataclasses.replace(material, member=self.member, announce=self.announce)

    def announce(self, members: Sequence[tuple[Recipe, int]]) -> None:
        """Carry out those that go together, and hold what they left until it is asked for; one that fails says why when it is asked for."""
        for places in together(members):
            recipes = [members[place][0] for place in places]
            with contextlib.suppress(RecipeError):
                done = recipes[0].finetune_together(recipes, self.fitted(self._material(*members[places[0]])))
                self._made += [(members[place], each) for place, each in zip(places, done, strict=True) if each is not None]
