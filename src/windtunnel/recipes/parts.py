"""The kinds of arguments that recipes are composed of."""

from __future__ import annotations

from typing import Annotated, Any

from windtunnel.builtins import AUGMENTATIONS, AVERAGINGS, CLEANINGS, LOSSES, PERTURBATIONS, RECIPES, REGULARISATIONS, SCOPES, SELECTIONS, THREATS
from windtunnel.core.cleaning import Cleaning
from windtunnel.core.named import Named
from windtunnel.core.part import Augmentation, Averaging, Loss, Perturbation, Regularisation, Scope, Selection
from windtunnel.core.recipe import Recipe
from windtunnel.core.threat import Threat

OneScope = Annotated[Scope, Named(SCOPES)]
OneLoss = Annotated[Loss, Named(LOSSES)]
Augmentations = Annotated[tuple[Augmentation, ...], Named(AUGMENTATIONS, many=True)]
Regularisations = Annotated[tuple[Regularisation, ...], Named(REGULARISATIONS, many=True)]
MaybePerturbation = Annotated[Perturbation | None, Named(PERTURBATIONS, optional=True)]
MaybeAveraging = Annotated[Averaging | None, Named(AVERAGINGS, optional=True)]
OneSelection = Annotated[Selection, Named(SELECTIONS)]
Cleanings = Annotated[tuple[Cleaning, ...], Named(CLEANINGS, many=True)]
OneRecipe = Annotated[Recipe, Named(RECIPES)]
OneThreat = Annotated[Threat[Any], Named(THREATS)]
Threats = Annotated[tuple[Threat[Any], ...], Named(THREATS, many=True)]
Recipes = Annotated[tuple[Recipe, ...], Named(RECIPES, many=True)]
MaybeThreat = Annotated[Threat[Any] | None, Named(THREATS, optional=True)]

MaybeScope = Annotated[Scope | None, Named(SCOPES, optional=True)]
MaybeLoss = Annotated[Loss | None, Named(LOSSES, optional=True)]
MaybeAugmentations = Annotated[tuple[Augmentation, ...] | None, Named(AUGMENTATIONS, many=True, optional=True)]
MaybeRegularisations = Annotated[tuple[Regularisation, ...] | None, Named(REGULARISATIONS, many=True, optional=True)]
