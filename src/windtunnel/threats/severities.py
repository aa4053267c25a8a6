"""Severities: the levels of corruptions and perturbations, whole numbers from 1 to 5."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

Severity = Annotated[int, Field(ge=1, le=5)]


def _as_list(value: object) -> object:
    return [value] if isinstance(value, int) else value


def _ascending(values: tuple[int, ...]) -> tuple[int, ...]:
    if not values:
        raise ValueError("the list is empty; give at least one severity from 1 to 5")
    return tuple(sorted(set(values)))


Severities = Annotated[tuple[Severity, ...], BeforeValidator(_as_list), AfterValidator(_ascending)]
"""One or several severities; kept ascending and without repeats."""
