"""Named: arguments that are parts of their own, given by name, as a mapping with `use`, or as an object."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from windtunnel.core.configured import Configured
from windtunnel.errors import WindtunnelError
from windtunnel.registry import Registry


@dataclass(frozen=True)
class Named:
    """Marks an argument whose value is a part out of a name table; the second half of an `Annotated`.

    Args:
        registry: the table.
        many: a list of parts; a single one stands for a list of one.
        optional: None is a value, too.
        implied: the name that a mapping without `use` stands for.
    """

    registry: Registry[Any]
    many: bool = False
    optional: bool = False
    implied: str = ""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Let pydantic take what `made` makes."""
        return core_schema.no_info_plain_validator_function(self.made)

    def made(self, value: Any) -> Any:
        """The part, or the tuple of parts, that a value stands for.

        Raises:
            ValueError: it stands for none.
        """
        if value is None and self.optional:
            return None
        if self.many:
            return tuple(self.one(each) for each in (value if isinstance(value, list | tuple) else [value]))
        return self.one(value)

    def one(self, value: Any) -> Any:
        """A single part."""
        if isinstance(value, Configured):
            if not isinstance(value, self.registry.base):
                raise ValueError(f"{value.use} is no {self.registry.noun}")
            return value
        if isinstance(value, str):
            value = {"use": value}
        if isinstance(value, Mapping) and self.implied:
            value = {"use": self.implied, **value}
        if not isinstance(value, Mapping) or not isinstance(value.get("use"), str):
            raise ValueError(f"a {self.registry.noun} is a name, or a mapping with `use` and arguments; found {value!r}")
        try:
            return self.registry.load(value["use"])(**{key: each for key, each in value.items() if key != "use"})
        except WindtunnelError as error:
            raise ValueError(str(error)) from error


@dataclass(frozen=True)
class Paths:
    """Marks an argument whose keys are paths of arguments ("loss.gamma") of the recipes in another argument.

    Args:
        of: that argument.
    """

    of: str


def path_arguments(kind: type[Configured]) -> dict[str, str]:
    """The arguments of a class whose keys are paths, with the argument whose recipes they lead into."""
    fields: Mapping[str, Any] = getattr(kind, "__pydantic_fields__", {})
    return {name: each.of for name, field in fields.items() for each in field.metadata if isinstance(each, Paths)}


def named_arguments(kind: type[Configured]) -> dict[str, Named]:
    """The arguments of a class that are parts, with where their names are looked up."""
    fields: Mapping[str, Any] = getattr(kind, "__pydantic_fields__", {})
    found = {name: next((each for each in field.metadata if isinstance(each, Named)), None) for name, field in fields.items()}
    return {name: marker for name, marker in found.items() if marker is not None}


def overridden(base: Any, arguments: Mapping[str, Any]) -> Any:
    """A frozen object with some arguments replaced; a mapping without `use` changes the part that is there instead of replacing it.

    Args:
        base: a frozen dataclass.
        arguments: new values; for a part that is there, a mapping of its arguments; for a list of parts, a mapping by number.
    Raises:
        ValueError: no such argument, or a value that it does not take.
    """
    changed = {}
    for name, value in arguments.items():
        there = getattr(base, name, None)
        if isinstance(value, Mapping) and "use" not in value and isinstance(there, Configured):
            value = overridden(there, value)
        elif isinstance(value, Mapping) and isinstance(there, tuple) and all(str(key).isdigit() for key in value):
            value = tuple(overridden(each, value[str(place)]) if str(place) in value else each for place, each in enumerate(there))
        changed[name] = value
    return dataclasses.replace(base, **changed)


def nested(path: str, value: Any) -> dict[str, Any]:
    """A value at the end of a path: "loss.gamma" and 1 as `{"loss": {"gamma": 1}}`."""
    for step in reversed(path.split(".")):
        value = {step: value}
    found: dict[str, Any] = value
    return found


def spread(arguments: Mapping[str, Any], short: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """Arguments in which short names are written out: `{"eps": 1}` as `{"perturb": {"threat": {"eps": 1}}}`."""
    found: dict[str, Any] = {}
    for name, value in arguments.items():
        path = short.get(name, (name,))
        place = found
        for step in path[:-1]:
            place = place.setdefault(step, {})
        place[path[-1]] = value
    return found
