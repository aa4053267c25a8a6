"""Texts: the inputs of a batch in the modality text, one field a sample or several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from windtunnel.errors import DataError


@dataclass(frozen=True)
class Texts:
    """Text inputs, a row for each sample; immutable, so that no threat can change what another one is given.

    Args:
        rows: for each sample its fields, in the order of `fields`.
        fields: their names; one for single texts, two for pairs such as premise and hypothesis.
        open: the fields that threats may change; all others must come back as they were. All of them if left out.
    Raises:
        DataError: a row with another number of fields, or an open field that does not exist.
    """

    rows: tuple[tuple[str, ...], ...]
    fields: tuple[str, ...] = ("text",)
    open: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        wrong = next((place for place, row in enumerate(self.rows) if len(row) != len(self.fields)), None)
        if wrong is not None:
            raise DataError(f"Text {wrong} has {len(self.rows[wrong])} fields; expected {len(self.fields)}: {', '.join(self.fields)}.")
        missing = [name for name in self.open if name not in self.fields]
        if missing:
            raise DataError(f"There is no field {missing[0]!r} to change; the texts have {', '.join(self.fields)}.")
        object.__setattr__(self, "open", self.open or self.fields)

    @classmethod
    def of(cls, texts: Sequence[str]) -> Texts:
        """Single texts."""
        return cls(tuple((text,) for text in texts))

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        return iter(self.rows)

    def take(self, indices: Sequence[int]) -> Texts:
        """The samples at `indices`, in that order."""
        return replace(self, rows=tuple(self.rows[row] for row in indices))

    def put(self, indices: Sequence[int], others: Texts) -> Texts:
        """These texts with the samples at `indices` replaced by `others`."""
        rows = list(self.rows)
        for row, other in zip(indices, others.rows, strict=True):
            rows[row] = other
        return replace(self, rows=tuple(rows))
