"""Text: sentences or pairs of them, of which some fields may be changed word by word."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from windtunnel.core.batch import Batch
from windtunnel.core.canonical import dumps, fraction_text
from windtunnel.core.modality import TEXT, Modality
from windtunnel.core.texts import Texts, changed_words
from windtunnel.errors import BudgetError, DataError

if TYPE_CHECKING:
    from windtunnel.core.dataset import Dataset
    from windtunnel.core.flag import Flag
    from windtunnel.core.suspicion import Probe
    from windtunnel.core.threat import Threat

SHOWN = 600
"""Characters of a text that an example shows, around its first change."""


class TextModality(Modality[Texts, Texts]):
    """`Texts`, kept as they are."""

    name: ClassVar[str] = TEXT
    shrinks: ClassVar[bool] = False
    copies: ClassVar[str] = "copies.json"

    def check(self, batch: Batch[Texts]) -> None:
        """Refuse a batch without samples, empty texts and texts that no file can hold.

        Raises:
            DataError: with the first offending sample's id.
        """
        if not len(batch):
            raise DataError("The batch is empty; there is nothing to evaluate.")
        for name, row in zip(batch.ids, batch.inputs, strict=True):
            for field, text in zip(batch.inputs.fields, row, strict=True):
                fault = _fault(text)
                if fault:
                    raise DataError(f"Sample {name!r} has a {field} that {fault}; expected words, in valid Unicode.")

    def verify(self, threat: Threat[Texts], inputs: Texts, changed: Texts, level: Fraction, ids: tuple[str, ...]) -> None:
        """Check that the same samples came back, closed fields as they were, and every open field a text.

        Raises:
            BudgetError: the first sample of which that is not so.
        """
        name = f"{threat.use} at {fraction_text(level)}"
        if not isinstance(changed, Texts) or (len(changed), changed.fields, changed.open) != (len(inputs), inputs.fields, inputs.open):
            answered = f"{len(changed)} texts of {', '.join(changed.fields)}" if isinstance(changed, Texts) else f"a {type(changed).__name__}"
            raise BudgetError(f"{name} answered with {answered} for {len(inputs)} texts of {', '.join(inputs.fields)}.")
        for sample, before, after in zip(ids, inputs, changed, strict=True):
            for field, old, new in zip(inputs.fields, before, after, strict=True):
                if field not in inputs.open and old != new:
                    raise BudgetError(f"{name} changed the {field} of sample {sample!r}, which is closed to it; nothing it shows counts.")
                if old != new and (fault := _fault(new)):
                    raise BudgetError(f"{name} answered with a {field} of sample {sample!r} that {fault}; nothing it shows counts.")

    def distances(self, norm: str, inputs: Texts, changed: Texts) -> npt.NDArray[np.float64]:
        """Words changed in all fields together, whatever the norm is called."""
        pairs = zip(inputs, changed, strict=True)
        return np.array([sum(map(changed_words, before, after)) for before, after in pairs], dtype=np.float64)

    def copy(self, inputs: Texts) -> Texts:
        """The texts, which nobody can change."""
        return inputs

    def settled(self, changed: Texts) -> Texts:
        """The texts."""
        return changed

    def put(self, inputs: Texts, rows: Sequence[int], others: Texts) -> Texts:
        """New texts."""
        return inputs.put(rows, others)

    def shape(self, inputs: Texts) -> tuple[int, ...]:
        """None."""
        return ()

    def rivals(self, probe: Probe) -> Iterator[Flag | None]:
        """None: words have neither a random direction nor a gradient."""
        yield from ()

    def inputs(self, stored: Texts) -> Texts:
        """The same."""
        return stored

    def stored(self, inputs: Texts) -> Texts:
        """The same."""
        return inputs

    def digests(self, stored: Texts) -> list[bytes]:
        """Over the fields of each sample with their names, and which of them are open."""
        return [hashlib.sha256(dumps([stored.fields, stored.open, row]).encode()).digest() for row in stored]

    def constant(self, stored: Texts) -> list[bool]:
        """Whether a sample is one character over and over, white space aside."""
        return [len(set("".join("".join(row).split()))) < 2 for row in stored]

    def size(self, data: Dataset) -> int:
        """As many bytes as characters, which is near enough."""
        return sum(len(text) for row in data.texts() for text in row)

    def pack(self, copies: Mapping[str, Texts]) -> bytes:
        """The rows of each level, and once what their fields are."""
        fields, free = next(((each.fields, each.open) for each in copies.values()), ((), ()))
        return dumps({"fields": fields, "open": free, "rows": {level: each.rows for level, each in copies.items()}}).encode()

    def unpack(self, content: bytes) -> Mapping[str, Texts]:
        """The texts by level."""
        body = json.loads(content)
        fields, free = tuple(body["fields"]), tuple(body["open"])
        return {level: Texts(tuple(tuple(row) for row in rows), fields, free) for level, rows in body["rows"].items()}

    def join(self, first: Texts, second: Texts) -> Texts:
        """The texts of both."""
        return replace(first, rows=first.rows + second.rows)

    def portray(self, pair: Texts) -> dict[str, Any]:
        """The fields' names and the two texts, each cut to what surrounds the first change."""
        before, after = pair
        cut = [_around_change(old, new) for old, new in zip(before, after, strict=True)]
        return {"fields": list(pair.fields), "texts": [[old for old, _ in cut], [new for _, new in cut]]}


def _fault(text: object) -> str:
    """What keeps something from being a text; empty if nothing does."""
    if not isinstance(text, str):
        return f"is a {type(text).__name__}"
    if not text.strip():
        return "is empty"
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return f"holds a lone surrogate (character {error.start})"
    return ""


def _around_change(before: str, after: str) -> tuple[str, str]:
    """At most SHOWN characters of two texts from shortly before where they part; "…" stands for what is cut off."""
    parting = next((place for place, (old, new) in enumerate(zip(before, after, strict=False)) if old != new), min(len(before), len(after)))
    longest = max(len(before), len(after))
    start = 0 if longest <= SHOWN or before == after else max(0, min(parting - SHOWN // 4, longest - SHOWN))
    old, new = (f"{'…' if start else ''}{text[start : start + SHOWN]}{'…' if len(text) > start + SHOWN else ''}" for text in (before, after))
    return old, new
