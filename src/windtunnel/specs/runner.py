"""Runners: runners/*.yaml to `core.runner.Runner`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast, get_args, get_type_hints

from windtunnel.catalog import Catalog
from windtunnel.core.runner import Runner
from windtunnel.errors import Problem, SpecError
from windtunnel.specs.fields import Fields
from windtunnel.specs.nodes import read

KEYS = ("runner", "engine", "workers", "device", "cell-minutes", "memory-gb")


def load_runner(name: str | Path, catalog: Catalog) -> Runner:
    """The runner of a catalogue's name or of a .yaml file.

    Raises:
        CatalogError: there is no such file.
        SpecError: everything wrong in it.
    """
    problems: list[Problem] = []
    path = catalog.find("runners", name)
    document, root = read(path, catalog.show(path), problems)
    if root is None:
        raise SpecError(problems)
    fields, default = Fields(document, root, "A runner", KEYS), Runner()
    hints = get_type_hints(Runner)
    engines, devices = get_args(hints["engine"]), get_args(hints["device"])
    shown, workers = fields.file_name("runner"), fields.integer("workers", low=0, default=default.workers)
    engine = fields.choice("engine", engines, default.engine)
    device = fields.choice("device", devices, default.device)
    minutes, memory = fields.positive("cell-minutes"), fields.positive("memory-gb")
    if problems or not shown:
        raise SpecError(problems)
    runner = {"name": shown, "engine": engine, "workers": workers, "device": device, "cell_minutes": minutes, "memory_gb": memory}
    return Runner(**cast(dict[str, Any], runner))
