"""The fingerprint of a data set: one digest over everything in it that can move a number."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from windtunnel.core.canonical import dumps
from windtunnel.core.dataset import SPLITS, Dataset
from windtunnel.datasets.content import Content, read_contents


def fingerprint(splits: Mapping[str, Dataset], contents: Mapping[str, Content] | None = None) -> str:
    """Hexadecimal sha256 over class names, ids, labels and all pixels, split by split.

    Args:
        splits: "train", "val", "test" -> samples; names of data sets and places of files do not enter.
        contents: what was read of every image before, by id; None to read the images now.
    """
    hasher = hashlib.sha256()
    for split in SPLITS:
        if split not in splits:
            continue
        dataset = splits[split]
        found = read_contents(dataset) if contents is None else contents
        # JSON marks every border, so that no two different lists have one text.
        hasher.update(dumps([split, dataset.classes, len(dataset)]).encode())
        for name, label in zip(dataset.ids, dataset.labels, strict=True):
            hasher.update(dumps([name, int(label)]).encode())
            hasher.update(found[name].digest)
    return hasher.hexdigest()
