"""A text classification data set of the Hugging Face hub, or files in one of its formats."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Splits
from windtunnel.core.modality import TEXT
from windtunnel.datasets.huggingface import HubSource, label_map
from windtunnel.datasets.written import Columns, Form, Written
from windtunnel.errors import DataError

HIDDEN = -1
"""The label of samples whose label the hub does not tell."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class HuggingFaceText(HubSource):
    """A text data set opened with Hugging Face `datasets`: SST-2, IMDB, AG News, MNLI, Rotten Tomatoes and many more.

    Rows without text or label are left out and counted; a split that hides its labels cannot be taken: say `test: validation`. Code that
    comes with data is never run.

    Args:
        name: name on the hub, e.g. "stanfordnlp/sst2", or a local folder or .parquet file.
        revision: commit, tag or branch on the hub. Name a commit: a branch may move, which shows only when the data is loaded.
        config: configuration, where the data set has several.
        text: column of texts, or a list of two for pairs, e.g. [premise, hypothesis].
        open: of the columns of texts, those that threats may change; all if left out.
        label: column of labels: class numbers or names.
        train, val, test: what the splits are called there; the usual names if left out, unless another split is called so here.
        cache: folder for downloads; None for the library's own.
        fractions: shares of train, val and test, where the data has no test split.
        seed: another seed is another split.
    """

    use: ClassVar[str] = "huggingface-text"
    libraries: ClassVar[tuple[str, ...]] = ("datasets",)

    text: Annotated[Columns, Field(min_length=1, max_length=2)] = ("text",)
    open: Columns = ()

    @property
    def modality(self) -> str:
        """Its samples are texts."""
        return TEXT

    def load(self) -> Splits:
        """Open, check, de-duplicate and split the data.

        Raises:
            MissingPackageError: `datasets` is not installed.
            DataError: data, a split or a column that is not there, a label outside the map, or a single class.
        """
        named = self.opened()
        for dataset in named.values():
            self._check_columns(dataset)
        parts = {split: list(self._rows(split, dataset)) for split, dataset in named.items()}
        names = label_map(next(iter(named.values())).features[self.label])
        told = {split: [row.label for row in rows if row.whole] for split, rows in parts.items()}
        form = Form(self.title, names or self.found_classes(told), self.text, self.open)
        found, missing = form.datasets(parts, lambda row: self.class_of(row.label, form.classes, bool(names), row.where))
        return self.assemble(found, missing=missing)

    def _check_columns(self, dataset: Any) -> None:
        for column in (*self.text, self.label):
            self.check_column(dataset, column)
        for column in self.text:
            kind = getattr(dataset.features[column], "dtype", None)
            if kind not in ("string", "large_string"):
                raise DataError(f"{self.title}: the column {column!r} holds {dataset.features[column]}; expected texts. Name their column in `text`.")

    def _rows(self, split: str, dataset: Any) -> Iterator[Written]:
        columns = [list(dataset[column]) for column in (*self.text, self.label)]
        for row, (*texts, label) in enumerate(zip(*columns, strict=True)):
            told = None if label is None or label == HIDDEN else label
            yield Written(f"{self.title}/{split}/{row:06d}", tuple(texts), told, f"{split}, row {row}")
