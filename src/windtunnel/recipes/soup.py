"""Soup: the mean of the weights of several fine-tunings from one start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.flag import Flag
from windtunnel.core.modality import TEXT
from windtunnel.core.recipe import Finetuned, Finetuning, Recipe
from windtunnel.errors import RecipeError
from windtunnel.recipes.arguments import Count
from windtunnel.recipes.members import common_modalities, inserts, origin, started, stays
from windtunnel.recipes.parts import Recipes
from windtunnel.recipes.supervised import Supervised
from windtunnel.seeding import integer

if TYPE_CHECKING:
    from windtunnel.core.network import Network

EXTRA = 4.0
"""Passes over the training split that a further member costs beside its own: batch statistics of the soup and at three points of a segment."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Soup(Recipe):
    """Fine-tune several times from one start, in other orders and under other augmentation, and average the weights.

    The first member of each recipe is that of the soup's own seed, so that a suite that has the recipe trains it once. All heads are
    initialised from that seed. How far accuracy falls, and the loss rises, between the best member and each other is noted.

    Args:
        of: what is averaged; several recipes make a soup over hyper-parameters.
        seeds: members of each recipe.
        how: "uniform" for the mean of all; "greedy" for the mean of those, from the best on, that do not lower the soup's accuracy on the
            validation split.
    Raises:
        RecipeError: fewer than two members, or recipes whose networks cannot be averaged.
    Source:
        Wortsman et al. 2022, arXiv 2203.05482, section 2: uniform soup, and recipe 1 for the greedy one. Deviation: batch statistics are
        computed anew over one pass through plain training inputs, as for SWA (Izmailov et al. 2018, arXiv 1803.05407) and against the
        collapse of variance between networks (Jordan et al. 2023, arXiv 2211.08403); the published soups have no batch norms. The
        published members differ in hyper-parameters, those of a single recipe here in their seeds.
    """

    use: ClassVar[str] = "soup"
    libraries: ClassVar[tuple[str, ...]] = ("torch",)
    defaults: ClassVar[Mapping[str, Mapping[str, Any]]] = MappingProxyType({TEXT: MappingProxyType({"of": (Supervised.suited(TEXT),)})})

    of: Recipes = (Supervised(),)
    seeds: Count = 3
    how: Literal["uniform", "greedy"] = "greedy"

    def __post_init__(self) -> None:
        if len(self.of) * self.seeds < 2:
            raise RecipeError("One member alone is no soup; raise `seeds` to 2 or more.")
        if any(not recipe.trains for recipe in self.of):
            raise RecipeError("A soup averages trainings, and one of its recipes trains nothing; leave it out.")
        if len({stays(recipe) for recipe in self.of}) > 1:
            raise RecipeError("A soup needs networks of one structure, and only some of its recipes leave modules of their own in the network.")

    @property
    def modalities(self) -> tuple[str, ...]:
        """Those of all its recipes."""
        return common_modalities(self.of)

    def restricting(self) -> Mapping[str, Any]:
        """What restricts its recipes."""
        return {name: value for recipe in self.of for name, value in recipe.restricting().items()}

    def passes(self, samples: int) -> float:
        """Those of all members, and what averaging them takes."""
        members = self.seeds * sum(recipe.passes(samples) for recipe in self.of)
        return members + EXTRA * samples * (self.seeds * len(self.of) - 1)

    def rebuild(self, network: Network) -> None:
        """As its first recipe."""
        self.of[0].rebuild(network)

    def members(self, seed: int) -> Iterator[tuple[Recipe, int]]:
        """Those of each recipe, one after the other."""
        for recipe in self.of:
            yield recipe, seed
            for number in range(1, self.seeds):
                yield started(recipe, seed), integer(seed, "soup", number) % 2**32

    def flags(self) -> Iterator[Flag]:
        """Why its members may not lie in one basin."""
        if any(inserts(recipe) for recipe in self.of):
            why = "a scope inserts modules that are initialised from each member's own seed"
        elif len({origin(recipe) for recipe in self.of}) > 1:
            why = "the recipes begin to move the backbone under different heads"
        else:
            return
        message = f"The members share no start: {why}. The mean of networks from different starts may be worse than each; see the barriers noted."
        yield Flag("members-share-no-start", message)

    def finetune(self, work: Finetuning) -> Finetuned:
        """Carry out the members and average them."""
        from windtunnel.recipes.cooking import cook

        return cook(self, work)
