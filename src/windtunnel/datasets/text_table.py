"""A CSV, TSV, JSONL or Parquet file with columns of texts and a column of labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import SPLITS, Splits
from windtunnel.core.modality import TEXT
from windtunnel.datasets import files
from windtunnel.datasets.labels import class_index, class_names
from windtunnel.datasets.rows import read_cells
from windtunnel.datasets.source import SplittingSource
from windtunnel.datasets.written import Columns, Form, Written
from windtunnel.errors import DataError, suggest


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TextTable(SplittingSource):
    """Texts in a table, with their labels; a sample is called by the number of its row.

    Args:
        path: the .csv, .tsv, .jsonl or .parquet file, in UTF-8; "~" stands for the home folder.
        text: column of texts, or a list of two for pairs.
        label: column of class names or numbers.
        open: of the columns of texts, those that threats may change; all if left out.
        split: column that says train, val or test; None if the data is one whole.
        classes: the label map, in order; every label must be in it, by name or by number. The labels found if left out.
        name: how the data is called in reports; the file's own name if left out.
        fractions: shares of train, val and test, where the table has no test split.
        seed: another seed is another split.
    """

    use: ClassVar[str] = "text-table"

    path: str
    text: Annotated[Columns, Field(min_length=1, max_length=2)] = ("text",)
    label: str = "label"
    open: Columns = ()
    split: str | None = None
    classes: tuple[str, ...] | None = None
    name: str = ""

    @property
    def title(self) -> str:
        """The given name, else the table's own."""
        return self.name or Path(self.path).stem or self.use

    @property
    def modality(self) -> str:
        """Its samples are texts."""
        return TEXT

    def load(self) -> Splits:
        """Read the table, then check, de-duplicate and split its texts; rows without text or label are left out and counted.

        Raises:
            DataError: a missing or damaged table or column, an unknown split, a label outside the map, or a single class.
        """
        table = files.existing(self.path, "table", "Give a .csv, .tsv, .jsonl or .parquet file with a column of texts and a column of labels.")
        columns = [*self.text, self.label, *([self.split] if self.split is not None else [])]
        rows = [self._row(table, number, values) for number, values in read_cells(table, columns, "text")]
        parts = {split: [row for name, row in rows if name == split] for split in SPLITS}
        form = Form(self.title, self.classes or _known(rows), self.text, self.open)

        def class_of(row: Written) -> int:
            try:
                return class_index(str(row.label), form.classes)
            except DataError as error:
                raise DataError(f"{row.where}: {error}") from None

        found, missing = form.datasets({split: members for split, members in parts.items() if members}, class_of)
        return self.assemble(found, missing=missing)

    def stamp(self) -> str:
        """A text that changes with the arguments and the table's size or time."""
        table = Path(self.path).expanduser()
        return self.evidence(*files.state(table.parent, [table]))

    def _row(self, table: Path, number: int, values: Sequence[str]) -> tuple[str, Written]:
        """A row with its split."""
        texts, (label, *rest) = tuple(values[: len(self.text)]), values[len(self.text) :]
        split = rest[0] if rest else "train"
        where = f"{table}, row {number}"
        if split not in SPLITS:
            raise DataError(f"{where}: {split!r} is not a split. {suggest(split, SPLITS)}")
        return split, Written(f"{number:06d}", texts, label.strip() or None, where)


def _known(rows: Sequence[tuple[str, Written]]) -> tuple[str, ...]:
    """The labels of train, or of all rows where none is for training."""
    whole = [(split, str(row.label)) for split, row in rows if row.whole]
    trained = [label for split, label in whole if split == "train"]
    return class_names(trained or [label for _, label in whole])
