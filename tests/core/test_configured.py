"""Configured objects: their arguments are checked, frozen, and described in full."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from windtunnel.core import canonical
from windtunnel.core.configured import STRICT, Configured, Radii, Radius, parse_fraction


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Ball(Configured):
    use: ClassVar[str] = "ball"
    version: ClassVar[int] = 3

    eps: Radii
    step: Radius | None = None
    norm: str = "Linf"


def test_all_effective_arguments_are_described_defaults_included() -> None:
    described = Ball(eps="8/255").describe()
    assert described == {"use": "ball", "version": 3, "arguments": {"eps": ["8/255"], "step": None, "norm": "Linf"}}


def test_an_object_is_rebuilt_from_its_arguments() -> None:
    ball = Ball(eps=["8/255", 0.5], step="1/510")
    assert Ball(**ball.arguments()) == ball


def test_spellings_of_one_radius_are_one_argument() -> None:
    spellings = ["8/255", " 8 / 255 ", Fraction(8, 255), ["8/255", "16/510"]]
    assert len({canonical.sha256(Ball(eps=each).describe()) for each in spellings}) == 1


def test_radii_are_kept_ascending_and_without_repeats() -> None:
    assert Ball(eps=["8/255", 0, "2/255", 0]).eps == (Fraction(0), Fraction(2, 255), Fraction(8, 255))


def test_unknown_arguments_are_refused() -> None:
    with pytest.raises(ValidationError, match="Unexpected keyword argument"):
        Ball(eps=1, esp=2)


def test_arguments_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'eps'"):
        Ball(eps=1).eps = (Fraction(1),)


@pytest.mark.parametrize(
    "value", ["a", "", "8/0", "1/2/3", None, True, [1], {}, "nan", "inf", float("nan"), float("inf"), "1e999", "1_000", "9" * 101]
)
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r'is not a number; write it as "8/255" or 0\.5'):
        parse_fraction(value)


def test_an_enormous_exponent_is_refused_before_its_digits_are_computed() -> None:
    with pytest.raises(ValueError, match="'1e999999999' is not a number"):
        parse_fraction("1e999999999")


@pytest.mark.parametrize("value", ["-1/255", -0.5, Fraction(-1)])
def test_negative_radii_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="is negative"):
        parse_fraction(value)


@pytest.mark.parametrize("value", [[], ()])
def test_an_empty_list_of_radii_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="the list is empty; give at least one value"):
        TypeAdapter(Radii).validate_python(value)


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_fractions_are_exact(numerator: int, denominator: int) -> None:
    assert parse_fraction(f"{numerator}/{denominator}") == Fraction(numerator, denominator)


@settings(deadline=None)
@given(st.floats(0, 1e6, allow_subnormal=False).filter(lambda value: value == 0 or value > 1e-90))
def test_a_decimal_means_what_is_written(value: float) -> None:
    assert parse_fraction(value) == Fraction(repr(value))
