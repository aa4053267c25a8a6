"""Keyboards: which keys a finger may hit instead of the one it meant."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

_ROWS: Final[Mapping[str, tuple[str, str, str]]] = MappingProxyType(
    {
        "qwerty": ("qwertyuiop", "asdfghjkl", "zxcvbnm"),
        "qwertz": ("qwertzuiop", "asdfghjkl", "yxcvbnm"),
        "azerty": ("azertyuiop", "qsdfghjklm", "wxcvbn"),
    }
)
_KEY = 4
"""Width and height of a key, in quarters of one."""
_STAGGER = (0, 1, 3)
"""How far the rows are shifted to the right on ANSI and ISO keyboards, in quarters of a key."""
_REACH = 5
"""Largest distance between the middles of neighbours, in quarters of a key."""


@cache
def neighbours(layout: str) -> Mapping[str, str]:
    """For each letter the letters whose keys touch its key, ascending.

    Args:
        layout: "qwerty", "qwertz" or "azerty".
    """
    middles = {
        letter: (column * _KEY + _STAGGER[row], row * _KEY) for row, letters in enumerate(_ROWS[layout]) for column, letter in enumerate(letters)
    }
    return MappingProxyType(
        {letter: "".join(sorted(other for other in middles if other != letter and _touch(middles[letter], middles[other]))) for letter in middles}
    )


def _touch(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2 <= _REACH**2
