"""Shortcuts: a patch or a word that stands for a class without having to do with it, the same in training data and in tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from windtunnel.core.condition import other_class
from windtunnel.core.texts import Texts
from windtunnel.errors import DataError
from windtunnel.seeding import generators

Labels = npt.NDArray[np.int64]

PURPOSE: Final = "shortcut"
MOST: Final = 1020
"""Classes that have a patch of their own: four corners, each with every level of grey but black."""

_LETTERS: Final = 26


def shown_classes(labels: Labels, ids: Sequence[str], classes: int, agreement: float, seed: int) -> Labels:
    """The class that each sample's mark stands for: its own with probability `agreement`, else another one, drawn uniformly.

    Args:
        labels: class indices.
        ids: key the draws, with the seed.
        classes: how many there are, at least 2.
    Raises:
        DataError: more classes than there are marks.
    """
    check_classes(classes)
    draws = generators(seed, PURPOSE, ids)
    shown = [label if draw.random() < agreement else other_class(draw, label, classes) for label, draw in zip(labels.tolist(), draws, strict=True)]
    return np.array(shown, dtype=np.int64)


def check_classes(classes: int) -> None:
    """Refuse data that has no wrong class, or more classes than there are marks.

    Raises:
        DataError: in that case.
    """
    if not 2 <= classes <= MOST:
        raise DataError(f"A shortcut needs 2 to {MOST} classes; there are {classes}. Choose other data, or leave the shortcut out.")


def marked_groups(labels: Labels, shown: Labels) -> Labels:
    """Groups of samples: 2 * label, plus 1 where the mark agrees with the label."""
    found: Labels = 2 * labels + (shown == labels)
    return found


def place(shown: int, height: int, width: int, size: int) -> tuple[slice, slice]:
    """Rows and columns of the patch that stands for a class: one of the four corners, `shown % 4` counted as one reads.

    Args:
        size: side in pixels; no patch is larger than the image.
    """
    low, right = divmod(shown % 4, 2)
    rows = slice(max(0, height - size), height) if low else slice(0, size)
    return rows, slice(max(0, width - size), width) if right else slice(0, size)


def grey(shown: int) -> int:
    """Level of that patch, from 255 down to 1: white for the first four classes, then halfway down, then a quarter and three quarters, and so on."""
    return 255 - int(f"{shown // 4:08b}"[::-1], 2)


def word(shown: int) -> str:
    """The word that stands for a class: "zxa", "zxb", ..., of letters that no language puts together."""
    letters = chr(ord("a") + shown % _LETTERS)
    while shown >= _LETTERS:
        shown = shown // _LETTERS - 1
        letters = chr(ord("a") + shown % _LETTERS) + letters
    return f"zx{letters}"


def marked_texts(texts: Texts, shown: Labels) -> Texts:
    """Texts with the word of a class, given for each, in front of their first open field."""
    first = texts.fields.index(texts.open[0])
    rows = (
        tuple(f"{word(int(which))} {text}" if field == first else text for field, text in enumerate(row))
        for row, which in zip(texts, shown, strict=True)
    )
    return replace(texts, rows=tuple(rows))
