"""Making: a recipe of textattack, built with the parameters that are asked for and bounded as the house bounds attacks."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from fractions import Fraction
from typing import Any

from windtunnel.core.texts import Texts, changed_words
from windtunnel.language.textattack import replaced
from windtunnel.threats.text.attack import allowed
from windtunnel.threats.text.library.recipes import BY_PLACE, RECIPES, Value, parameters


class Unasked:
    """A model wrapper for recipes that only ask for answers, which they get from elsewhere."""

    model = None


def made(name: str, values: Mapping[str, Value], wrapper: Any) -> Any:
    """A `textattack.Attack` as the recipe builds it, its goal that the classifier errs.

    Args:
        values: of the recipe's parameters, by name.
        wrapper: a model wrapper of textattack; `Unasked()` where the recipe looks for no gradient, else `Gradients`.
    """
    from textattack import Attack
    from textattack.goal_functions import UntargetedClassification

    recipe, known = RECIPES[name], parameters(name)
    module = importlib.import_module(f"textattack.attack_recipes.{recipe.module}")
    with ExitStack() as stack:
        for part, given in known.parts.items():
            chosen = {key: values[key] for key in given if key in values}
            stack.enter_context(replaced(module, **{part: _given(getattr(module, part), chosen, BY_PLACE.get(part))}))
        built = getattr(module, recipe.kind).build(wrapper, **recipe.fixed, **{key: values[key] for key in known.build})
    return Attack(UntargetedClassification(wrapper), _constraints(built), built.transformation, built.search_method)


def bounded(attack: Any, share: Fraction, texts: Texts) -> Any:
    """The attack kept to the open fields of texts and to a share of their words; a share of 1 is no bound."""
    from textattack import Attack
    from textattack.constraints.pre_transformation import InputColumnModification

    closed = {name for name in texts.fields if name not in texts.open}
    more = [InputColumnModification(list(texts.fields), closed)] if closed else []
    if share < 1:
        more.append(_share_of_words(share))
    return Attack(attack.goal_function, [*_constraints(attack), *more], attack.transformation, attack.search_method)


def _constraints(attack: Any) -> list[Any]:
    return [*attack.pre_transformation_constraints, *attack.constraints]


def _given(kind: Callable[..., Any], chosen: Mapping[str, Value], first: str | None) -> Callable[..., Any]:
    """A class whose parameters are those chosen, whatever it is called with."""

    def make(*placed: Any, **named: Any) -> Any:
        if first is not None and placed:
            named[first], *rest = placed
            placed = tuple(rest)
        return kind(*placed, **{**named, **chosen})

    return make


def _share_of_words(share: Fraction) -> Any:
    """A constraint of textattack that counts words as the house does."""
    from textattack.constraints import Constraint

    class ShareOfWords(Constraint):  # type: ignore[misc]  # textattack is not annotated
        """At most a share of the words is replaced, added or left out."""

        def __init__(self) -> None:
            super().__init__(compare_against_original=True)

        def _check_constraint(self, transformed_text: Any, reference_text: Any) -> bool:
            before, after = (tuple(text._text_input.values()) for text in (reference_text, transformed_text))
            return sum(map(changed_words, before, after)) <= allowed(share, before)

    return ShareOfWords()
