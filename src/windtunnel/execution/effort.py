"""Effort: how long cells will take, by what such cells took before."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from windtunnel.core import canonical
from windtunnel.core.cell import Cell
from windtunnel.core.modality import TEXT
from windtunnel.errors import StoreError
from windtunnel.execution.facts import ModelFacts
from windtunnel.execution.store import Store, write_synced

FILE = "speeds.json"

SECONDS_PER_PASS = 5e-4
"""Assumed where nothing was measured: one worker, the packaged micro networks, on the machine of docs/performance.md."""


SECONDS_PER_PARAMETER = 3e-10
"""The same of a language model on a sentence, which costs about as much as it has parameters: 7 ms of MiniLM, measured 5 to 7."""

NOTHING: Mapping[str, ModelFacts] = MappingProxyType({})


@dataclass(frozen=True)
class Effort:
    """An estimate of time.

    Args:
        seconds: on so many workers.
        workers: that many.
        measured: every model's speed was measured here before.
    """

    seconds: float
    workers: int
    measured: bool


def seconds_of(cells: Sequence[Cell], store: Store, workers: int | None = None, models: Mapping[str, ModelFacts] = NOTHING) -> Effort:
    """How long `cells` will take.

    Args:
        models: what is known of the models, by the names of the cells.
    """
    speeds, count = _read(store), workers or os.cpu_count() or 1
    assumed = {name: SECONDS_PER_PARAMETER * facts.parameters for name, facts in models.items() if facts.modality == TEXT}
    total = sum(cell.passes * (speeds.get(name) or assumed.get(name, SECONDS_PER_PASS)) for cell in cells for name in [cell.labels.model])
    return Effort(total / count, count, all(cell.labels.model in speeds for cell in cells))


def note_speeds(cells: Sequence[Cell], store: Store) -> None:
    """Remember the seconds a pass that each model took in cells just computed."""
    seconds: dict[str, float] = {}
    passes: dict[str, float] = {}
    for cell in cells:
        entry = store.read(cell.key)
        if entry is not None:
            seconds[cell.labels.model] = seconds.get(cell.labels.model, 0.0) + entry.seconds
            passes[cell.labels.model] = passes.get(cell.labels.model, 0.0) + cell.passes
    speeds = {**_read(store), **{model: seconds[model] / passes[model] for model in seconds if passes[model]}}
    temporary = store.root / f".{FILE}.part"
    try:
        write_synced(temporary, canonical.dumps(speeds).encode())
        temporary.replace(store.root / FILE)
    except OSError as error:
        raise StoreError(f"The store at {store.root} cannot be written: {error.strerror or error}.") from error


def _read(store: Store) -> dict[str, float]:
    try:
        return {str(model): float(speed) for model, speed in json.loads((store.root / FILE).read_text()).items()}
    except (OSError, ValueError, AttributeError):
        return {}  # only an estimate hangs on it
