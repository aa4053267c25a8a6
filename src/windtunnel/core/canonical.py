"""Canonical JSON: one text for one value, so that a digest of it is an address."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Protocol, runtime_checkable

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


@runtime_checkable
class Described(Protocol):
    """What enters a key by a description of itself."""

    def describe(self) -> dict[str, Any]:
        """Plain data that says all that is meant to change a number."""
        ...


def plain(value: Any) -> Any:
    """`value` as JSON types: fractions become "8/255", tuples lists, what describes itself its description; anything else is refused.

    Raises:
        TypeError: a value that has no canonical form (NaN included).
    """
    # The common kinds first: a plan of ten thousand cells asks a million times.
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        if value != value:
            raise TypeError("NaN has no canonical form")
        return value
    if isinstance(value, dict | Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Fraction):
        return fraction_text(value)
    if isinstance(value, Described):
        return value.describe()
    raise TypeError(f"{type(value).__name__} has no canonical form")


def dumps(value: Any) -> str:
    """Canonical JSON text: sorted keys, no spaces, ASCII, no NaN."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def sha256(value: Any) -> str:
    """Hexadecimal sha256 of the canonical JSON of `value`."""
    return hashlib.sha256(dumps(value).encode()).hexdigest()


def fraction_text(value: Fraction) -> str:
    """A radius as the field writes it: "8/255" where 255 carries it, else "1/2", else "3"."""
    if value.denominator != 1 and 255 % value.denominator == 0:
        return f"{value.numerator * (255 // value.denominator)}/255"
    return str(value)
