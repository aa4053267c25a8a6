"""Space: the values among which a search looks for arguments of a recipe."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from windtunnel.core.configured import Configured
from windtunnel.core.named import nested, overridden
from windtunnel.core.recipe import Recipe
from windtunnel.errors import WindtunnelError, suggest
from windtunnel.seeding import generator

Loc = tuple[str | int, ...]
Trial = dict[str, Any]
"""Path of an argument to its value."""

RANGE = ("low", "high", "log")


def is_range(values: Any) -> bool:
    """Whether values are those between two bounds, rather than a list."""
    return isinstance(values, Mapping)


def problems(space: Mapping[str, Any], recipes: tuple[Recipe, ...]) -> Iterator[tuple[Loc, str, Any]]:
    """Everything wrong with a space for some recipes: where, what, and the value."""
    for path, values in space.items():
        wrong = list(_range_problems(path, values) if is_range(values) else _list_problems(path, values))
        yield from wrong
        lacking = next((told for recipe in recipes if (told := lack(recipe, path))), None)
        if lacking:
            yield (path,), lacking, values
        elif not wrong:
            yield from _refused(path, values, recipes)


def refuse(title: str, found: list[tuple[Loc, str, Any]]) -> ValidationError:
    """The error that reports problems, each at its place."""
    details = [InitErrorDetails(type=PydanticCustomError("space", message), loc=loc, input=value) for loc, message, value in found]
    return ValidationError.from_exception_data(title, details)


def lack(recipe: Recipe, path: str) -> str | None:
    """What a recipe lacks on the way along a path; None if the path leads to an argument."""
    there: Any = recipe
    for step in path.split("."):
        if isinstance(there, tuple) and step.isdigit() and int(step) < len(there):
            there = there[int(step)]
            continue
        names = [field.name for field in dataclasses.fields(there)] if isinstance(there, Configured) else []  # type: ignore[arg-type]  # all are
        if step not in names:
            what = there.use if isinstance(there, Configured) else f"{path.rpartition('.' + step)[0]} ({there!r})"
            return f"{what} has no argument {step!r}. {suggest(step, names) if names else 'A path leads to an argument that the recipe has.'}"
        there = getattr(there, step)
    return None


def changed(recipe: Recipe, trial: Trial) -> Recipe:
    """The recipe with the arguments of a trial."""
    for path in sorted(trial):
        recipe = overridden(recipe, nested(path, trial[path]))
    return recipe


def grid(space: Mapping[str, Any]) -> list[Trial]:
    """Every combination of listed values, in the order of the paths' names, the last running fastest."""
    paths = sorted(space)
    return [dict(zip(paths, values, strict=True)) for values in itertools.product(*(space[path] for path in paths))]


def drawn(space: Mapping[str, Any], seed: int, number: int) -> Trial:
    """The values of one trial of a random search, a function of seed and number alone."""
    draws = generator(seed, "search", number)
    return {path: _drawn(space[path], draws.random()) for path in sorted(space)}


def whole(values: Mapping[str, Any]) -> bool:
    """Whether a range holds whole numbers: both bounds are written as such."""
    return all(isinstance(values[name], int) for name in ("low", "high"))


def _drawn(values: Any, share: float) -> Any:
    """The value at a share, in [0, 1), of a list or range."""
    if not is_range(values):
        return values[int(share * len(values))]
    low, high = values["low"], values["high"]
    if whole(values):
        high += 1
    value = math.exp(math.log(low) + share * (math.log(high) - math.log(low))) if values.get("log") else low + share * (high - low)
    return min(int(value), values["high"]) if whole(values) else float(value)


def _list_problems(path: str, values: Any) -> Iterator[tuple[Loc, str, Any]]:
    if not isinstance(values, list | tuple):
        yield (path,), "expected a list of values, or a range {low, high, log}", values
    elif not values:
        yield (path,), "the list is empty; give at least one value", values


def _range_problems(path: str, values: Mapping[str, Any]) -> Iterator[tuple[Loc, str, Any]]:
    for name in values:
        if name not in RANGE:
            yield (path, name), f"a range has no {name!r}; it has low, high and log", values[name]
    for name in ("low", "high"):
        if not isinstance(values.get(name), int | float) or isinstance(values[name], bool):
            yield (path, name), f"a range needs the number {name!r}", values.get(name)
            return
    if not isinstance(values.get("log", False), bool):
        yield (path, "log"), "expected true or false", values["log"]
    if not values["low"] < values["high"]:
        yield (path, "low"), f"the range is empty: low is not below high, which is {values['high']:g}", values["low"]
    elif values.get("log") is True and values["low"] <= 0:
        yield (path, "low"), "a logarithmic range begins above 0", values["low"]


def _refused(path: str, values: Any, recipes: tuple[Recipe, ...]) -> Iterator[tuple[Loc, str, Any]]:
    """Values that an argument does not take, each by itself."""
    places: list[tuple[str | int, Any]] = [(name, values[name]) for name in ("low", "high")] if is_range(values) else list(enumerate(values))
    for place, value in places:
        for recipe in recipes:
            try:
                changed(recipe, {path: value})
            except ValidationError as error:
                yield (path, place), error.errors(include_url=False)[0]["msg"].removeprefix("Value error, "), value
                break
            except (WindtunnelError, ValueError, TypeError) as error:
                yield (path, place), str(error), value
                break
