"""Configured: objects that record the arguments that made them, so that these can be hashed, shown and rebuilt."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, ConfigDict

from windtunnel.core.canonical import plain

STRICT = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
"""Configuration of every `Configured` dataclass: unknown arguments are errors."""


class Configured:
    """Base of recipes, threats and data sources: a frozen dataclass whose fields are its arguments.

    `use` is its name in the name table; `version` is raised whenever a change in the code changes a number;
    `libraries` are the packages whose versions enter the key of what it computes.
    """

    use: ClassVar[str] = ""
    version: ClassVar[int] = 1
    libraries: ClassVar[tuple[str, ...]] = ()

    def arguments(self) -> dict[str, Any]:
        """All effective arguments, defaults included, as plain JSON values."""
        fields = dataclasses.fields(self)  # type: ignore[arg-type]  # every concrete subclass is a dataclass
        return {field.name: plain(getattr(self, field.name)) for field in fields}

    def held(self) -> tuple[Configured, ...]:
        """What among its arguments is configured itself."""
        fields = dataclasses.fields(self)  # type: ignore[arg-type]  # as above
        values = [getattr(self, field.name) for field in fields]
        return tuple(each for value in values for each in (value if isinstance(value, tuple) else [value]) if isinstance(each, Configured))

    def within(self) -> Iterator[Configured]:
        """It, and all that is configured in it, at any depth."""
        yield self
        for each in self.held():
            yield from each.within()

    def packages(self) -> tuple[str, ...]:
        """The `libraries` of it and of every part among its arguments."""
        return tuple(dict.fromkeys((*self.libraries, *(name for part in self.held() for name in part.packages()))))

    def describe(self) -> dict[str, Any]:
        """Name, implementation version and effective arguments: what enters a key."""
        return {"use": self.use, "version": self.version, "arguments": self.arguments()}


def brief(value: Any) -> Any:
    """Descriptions, alone or within plain data, as a person writes them: a name, or a mapping with `use` and arguments. Versions go."""
    if isinstance(value, list):
        return [brief(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    if value.keys() == {"use", "version", "arguments"}:
        return {"use": value["use"], **{name: brief(each) for name, each in value["arguments"].items()}} if value["arguments"] else value["use"]
    return {name: brief(each) for name, each in value.items()}


_WRITTEN = re.compile(r"[-+]?[0-9.]{1,100}(?:/[0-9]{1,100}|[eE][-+]?[0-9]{1,2})?")


def parse_fraction(value: object) -> Fraction:
    """An exact fraction from "8/255", 0.5, 1 or a Fraction.

    Raises:
        ValueError: not a non-negative number.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float | Fraction):
        raise ValueError(f'{value!r} is not a number; write it as "8/255" or 0.5')
    text = str(value).replace(" ", "")
    try:
        # Fraction("1e999999999") would spend minutes and gigabytes on its digits.
        parsed = Fraction(text if _WRITTEN.fullmatch(text) else "")
    except (ValueError, ZeroDivisionError):
        raise ValueError(f'{value!r} is not a number; write it as "8/255" or 0.5') from None
    if parsed < 0:
        raise ValueError(f"{value!r} is negative")
    return parsed


def _ascending(value: object) -> tuple[Fraction, ...]:
    items = value if isinstance(value, list | tuple) else [value]
    levels = sorted({parse_fraction(item) for item in items})
    if not levels:
        raise ValueError("the list is empty; give at least one value")
    return tuple(levels)


Radius = Annotated[Fraction, BeforeValidator(parse_fraction)]
"""A radius in input units, exact; "8/255" in a file."""

Radii = Annotated[tuple[Fraction, ...], BeforeValidator(_ascending)]
"""One or several radii; kept ascending and without repeats."""
