"""References to data as files write them: "digits" or "digits[test]"."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from windtunnel.builtins import DATASETS
from windtunnel.core.dataset import SPLITS, DataSource
from windtunnel.errors import DataError, suggest
from windtunnel.registry import Registry

PATTERN = re.compile(r"(?P<name>[^\[\]\s]+)(\[(?P<split>[^\[\]]*)\])?")


TABLES = (".csv", ".tsv", ".jsonl", ".parquet")
"""Endings of tables of texts."""


def named_or_folder(text: str, known: Registry[DataSource] = DATASETS) -> DataSource:
    """The data set of a name, with its defaults, of a folder that holds one folder of images per class, or of a table of texts.

    Raises:
        UnknownNameError: neither.
        DataError: a data set that needs arguments.
    """
    if text not in known and Path(text).expanduser().is_dir():
        return known.load("folder")(path=text)  # type: ignore[call-arg]  # the table knows nouns, not their arguments
    if text not in known and Path(text).suffix.lower() in TABLES:
        return known.load("text-table")(path=text)  # type: ignore[call-arg]  # as above
    try:
        return known.load(text)()
    except ValueError as error:
        raise DataError(
            f"The data set {text!r} needs arguments ({text} is explained by: windtunnel show {text}). Name it in a suite's file."
        ) from error


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
