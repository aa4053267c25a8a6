"""RunFolder: what a run left on disk, read once and checked; a published report is read the same way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from windtunnel.core.flag import Flag
from windtunnel.core.record import Record
from windtunnel.errors import RecordError
from windtunnel.reporting import outcomes
from windtunnel.reporting.manifest import Manifest
from windtunnel.reporting.outcomes import Outcomes
from windtunnel.reporting.rivals import rivals

RECORDS, OUTCOMES, MANIFEST = "records.jsonl", "outcomes.parquet", "manifest.json"

Place = tuple[str, str, int, str, str]
"""Model, recipe, seed, benchmark and threat: where a cell stands in its suite."""


@dataclass(frozen=True)
class RunFolder:
    """A run's folder, or a published one.

    Args:
        path: the folder.
        manifest: what was meant to happen.
        records: what each cell left, in canonical order.
    """

    path: Path
    manifest: Manifest
    records: tuple[Record, ...]

    @classmethod
    def load(cls, path: Path | str) -> RunFolder:
        """Read a folder; the table of outcomes only when it is asked for.

        Raises:
            RecordError: there is no such folder, or a file in it is missing, damaged or of another schema.
        """
        folder = Path(path)
        if not folder.is_dir():
            raise RecordError(f"{folder} is no folder; expected a run's folder (with {MANIFEST}) or a published report.")
        if not (folder / MANIFEST).exists() and (folder / "latest").exists():
            raise RecordError(f"{folder} holds several runs; give one of them, e.g. {folder / 'latest'}.")
        if not (folder / OUTCOMES).is_file():
            raise RecordError(f"{folder / OUTCOMES} is missing; a run's folder needs it. Run the suite again, or copy the whole folder.")
        try:
            manifest = Manifest.from_dict(json.loads(_text(folder / MANIFEST)))
        except (RecordError, ValueError, AttributeError) as error:
            raise RecordError(f"{folder / MANIFEST} cannot be used: {error}.") from error
        return cls(folder, manifest, _records(folder / RECORDS))

    @cached_property
    def outcomes(self) -> Outcomes:
        """The per-sample results.

        Raises:
            RecordError: the table is missing or damaged.
        """
        return outcomes.read(self.path / OUTCOMES)

    @cached_property
    def _places(self) -> Mapping[Place, Record]:
        return {
            (record.labels.model, record.labels.recipe, record.labels.seed, record.labels.benchmark, record.labels.threat): record
            for record in self.records
        }

    def cell(self, model: str, recipe: str, seed: int, benchmark: str, threat: str) -> Record | None:
        """The record of an evaluation, or None where the run left none."""
        return self._places.get((model, recipe, seed, benchmark, threat))

    def finetuning(self, model: str, recipe: str, seed: int) -> Record | None:
        """The record of a fine-tuning, or None where the run left none."""
        return self._places.get((model, recipe, seed, "", ""))

    @cached_property
    def _rivals(self) -> Mapping[str, tuple[Flag, ...]]:
        return rivals(self)

    def flags(self, record: Record) -> tuple[Flag, ...]:
        """Reasons to doubt an evaluation: those found while it ran, and those that other evaluations of the same victim give."""
        return (*(Flag(flag["name"], flag["message"]) for flag in record.flags), *self._rivals.get(record.key, ()))

    @property
    def failed(self) -> tuple[Record, ...]:
        """Records of cells that failed."""
        return tuple(record for record in self.records if record.status == "failed")


def _records(path: Path) -> tuple[Record, ...]:
    found = []
    for number, line in enumerate(_text(path).splitlines(), start=1):
        try:
            found.append(Record.from_dict(json.loads(line)))
        except (RecordError, ValueError, AttributeError) as error:
            raise RecordError(f"{path}:{number} cannot be used: {error}. Run the suite again; the store keeps every cell.") from error
    return tuple(found)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RecordError(f"{path} is missing; a run's folder needs it. Run the suite again, or copy the whole folder.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(f"{path} cannot be read: {error}.") from error
