"""References to data as files write them: "digits" or "digits[test]"."""

from __future__ import annotations

import re
from typing import NamedTuple

from windtunnel.core.dataset import SPLITS
from windtunnel.errors import DataError, suggest

PATTERN = re.compile(r"(?P<name>[^\[\]\s]+)(\[(?P<split>[^\[\]]*)\])?")


class Reference(NamedTuple):
    """A data set's name and, if one was written, the split meant.

    Args:
        name: name of a data source.
        split: "train", "val" or "test"; None for the whole data set.
    """

    name: str
    split: str | None


def parse_reference(text: str) -> Reference:
    """Take "digits[test]" apart.

    Raises:
        DataError: not of the form "name" or "name[split]", or a split that does not exist.
    """
    found = PATTERN.fullmatch(text.strip())
    if found is None:
        raise DataError(f'{text!r} does not name data; write a name and, where one split is meant, "name[test]".')
    split = found["split"]
    if split is not None and split not in SPLITS:
        raise DataError(f"{text!r} asks for the split {split!r}. {suggest(split, SPLITS)}")
    return Reference(found["name"], split)
