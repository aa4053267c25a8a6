"""Text copies: perturbed texts on disk, one table for each perturbation and severity, in the columns of a text table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from windtunnel.core.dataset import Dataset
from windtunnel.errors import DataError
from windtunnel.execution.store import write_synced
from windtunnel.threats.text.perturbation import Perturbation

COLUMNS = ("id", "label", "split")
"""Columns beside the texts themselves."""


def write_texts(
    root: Path, part: Dataset, split: str, chosen: Sequence[Perturbation], seed: int, progress: Callable[[int, int], None]
) -> Mapping[str, str]:
    """Write `root`/perturbation/severity.jsonl, a line for each sample: its id, texts, class name and split.

    Returns:
        The sha256 of each file, by perturbation and severity.
    Raises:
        DataError: a column of texts is called as one of `COLUMNS`.
    """
    texts = part.texts()
    if taken := set(texts.fields) & set(COLUMNS):
        raise DataError(f"{part.name} calls a column of texts {min(taken)!r}; the copy needs {', '.join(COLUMNS)} for itself. Rename the column.")
    digests: dict[str, str] = {}
    total = len(part) * sum(len(each.severities) for each in chosen)
    for perturbation in chosen:
        (root / perturbation.use).mkdir()
        for severity in perturbation.severities:
            copies = perturbation.rewritten(texts, part.ids, severity, seed)
            lines = [
                json.dumps(
                    {"id": name, **dict(zip(copies.fields, row, strict=True)), "label": part.classes[label], "split": split}, ensure_ascii=False
                )
                for name, row, label in zip(part.ids, copies, part.labels, strict=True)
            ]
            content = "".join(f"{line}\n" for line in lines).encode()
            write_synced(root / perturbation.use / f"{severity}.jsonl", content)
            digests[f"{perturbation.use}/{severity}"] = hashlib.sha256(content).hexdigest()
            progress(len(digests) * len(part), total)
    return digests
