"""What is wrong with data, found before it is split: repeated, contradicting and constant images."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from windtunnel.core.dataset import SPLITS, Audit, Dataset, Indices
from windtunnel.datasets.content import Content

PRECEDENCE = tuple(reversed(SPLITS))
"""Of equal images in several official splits the one in test stays, for nothing tested may have been trained on."""


@dataclass(frozen=True)
class Examination:
    """Which samples stay, and why the others go.

    Args:
        kept: split -> row numbers that stay, ascending.
        audit: what was found.
    """

    kept: Mapping[str, Indices]
    audit: Audit


class _Place(NamedTuple):
    split: str
    row: int
    name: str
    label: int


def examine(parts: Mapping[str, Dataset], contents: Mapping[str, Content]) -> Examination:
    """Find equal images within and across `parts`.

    Of equal images with one label the first stays; equal images with different labels all go, for none of the labels can be trusted.

    Args:
        parts: split -> samples, as the source delivers them.
        contents: id -> what was read of the image, for every sample.
    """
    places = [
        _Place(split, row, name, int(label))
        for split in PRECEDENCE
        if split in parts
        for row, (name, label) in enumerate(zip(parts[split].ids, parts[split].labels, strict=True))
    ]
    groups: dict[bytes, list[_Place]] = defaultdict(list)
    for place in places:
        groups[contents[place.name].digest].append(place)
    conflicting = [group for group in groups.values() if len({place.label for place in group}) > 1]
    agreeing = [group for group in groups.values() if len({place.label for place in group}) == 1]
    kept = [group[0] for group in agreeing]
    return Examination(
        kept={split: _rows(kept, split) for split in parts},
        audit=Audit(
            found=len(places),
            duplicates=tuple(place.name for group in agreeing for place in group[1:]),
            conflicts=tuple(place.name for group in conflicting for place in group),
            constant=tuple(place.name for place in kept if contents[place.name].constant),
            balance=_balance(parts, kept),
        ),
    )


def _rows(kept: list[_Place], split: str) -> Indices:
    return np.array(sorted(place.row for place in kept if place.split == split), dtype=np.int64)


def _balance(parts: Mapping[str, Dataset], kept: list[_Place]) -> dict[str, int]:
    """Samples kept of every class, those with none included."""
    counts = Counter(place.label for place in kept)
    classes = next(iter(parts.values())).classes
    return {name: counts[label] for label, name in enumerate(classes)}
