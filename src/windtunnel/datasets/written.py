"""Texts out of rows of a table: what has neither text nor label is left out and counted, never dropped in silence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import BeforeValidator

from windtunnel.core.dataset import Dataset
from windtunnel.core.texts import Texts
from windtunnel.errors import DataError


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Columns = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
"""One column's name or several."""

MISSING = 0.5
"""Share of rows without text or label from which on a column is taken for the wrong one; ours."""


@dataclass(frozen=True)
class Written:
    """One row of a table of texts.

    Args:
        id: stable name of the sample.
        texts: one for each column of texts; None or blank where there is none.
        label: as the table has it; None where there is none.
        where: the row, for messages.
    """

    id: str
    texts: tuple[str | None, ...]
    label: str | int | None
    where: str

    @property
    def whole(self) -> bool:
        """Whether every text and the label are there."""
        return self.label is not None and all(text is not None and text.strip() for text in self.texts)


@dataclass(frozen=True)
class Form:
    """What the rows of a data set are turned into.

    Args:
        title: the data set's name, for messages.
        classes: class names.
        fields: names of the texts of a row.
        open: those that threats may change; all if empty.
    """

    title: str
    classes: tuple[str, ...]
    fields: tuple[str, ...]
    open: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.classes) < 2:
            raise DataError(
                f"{self.title} has labels of {len(self.classes)} class ({', '.join(self.classes)}); a classifier needs at least two. "
                "Look whether `label` names the right column, and whether the split has labels at all."
            )
        Texts((), self.fields, self.open)

    def datasets(self, parts: Mapping[str, Iterable[Written]], class_of: Callable[[Written], int]) -> tuple[dict[str, Dataset], tuple[str, ...]]:
        """The samples of each split, and the ids of the rows left out.

        Raises:
            DataError: a label outside the classes, a text that is no valid Unicode, or a split most of whose rows are missing.
        """
        found, missing = {}, []
        for split, rows in parts.items():
            every = list(rows)
            kept = [row for row in every if row.whole]
            if len(every) - len(kept) > MISSING * len(every):
                raise DataError(
                    f"{self.title}: {len(every) - len(kept)} of the {len(every)} rows of {split} have no text or no label. Name other columns, "
                    "or another split: hubs hide the labels of some test splits."
                )
            missing += [row.id for row in every if not row.whole]
            labels = np.array([class_of(row) for row in kept], dtype=np.int64)
            found[split] = Dataset(self.title, self.classes, tuple(row.id for row in kept), labels, self._texts(kept))
        return found, tuple(missing)

    def _texts(self, rows: Sequence[Written]) -> Texts:
        for row in rows:
            try:
                "".join(text or "" for text in row.texts).encode()
            except UnicodeEncodeError:
                raise DataError(f"{row.where}: a text holds a lone surrogate, which is no valid Unicode; repair or remove the row.") from None
        return Texts(tuple(tuple(text or "" for text in row.texts) for row in rows), self.fields, self.open)
