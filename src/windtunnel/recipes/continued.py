"""Continued: recipes that others carry out again and again, each time from the weights that came before."""

from __future__ import annotations

from windtunnel.core.recipe import Recipe
from windtunnel.errors import RecipeError
from windtunnel.recipes.supervised import Supervised


def continuable(recipe: Recipe, use: str, argument: str) -> Supervised:
    """The recipe, if it can go on from a network that has been trained before.

    Raises:
        RecipeError: it trains in stages, on features alone or with modules of its own, or cleans its data.
    """
    if isinstance(recipe, Supervised) and not recipe.stages and not recipe.on_features and not recipe.scope.inserts and not recipe.clean:
        return recipe
    raise RecipeError(
        f"{use} trains one network on and on, which {recipe.use} with these arguments does not; "
        f"give `{argument}` a recipe of one stage that trains through the backbone, adds nothing to it and cleans nothing, such as `full`."
    )
