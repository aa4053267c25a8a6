"""A suite of one model, one recipe and one benchmark, made without a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from windtunnel.catalog import Catalog
from windtunnel.core.dataset import DataSource
from windtunnel.core.suite import Benchmark, Suite
from windtunnel.errors import DataError
from windtunnel.model_names import source
from windtunnel.specs.benchmark import load_benchmark
from windtunnel.specs.recipes import load_recipe
from windtunnel.specs.tables import BUILTIN, Tables


def single(
    model: str,
    benchmark: str,
    catalog: Catalog,
    *,
    recipe: str = "pretrained",
    data: DataSource | None = None,
    samples: int | None = None,
    arguments: Mapping[str, Any] | None = None,
    tables: Tables = BUILTIN,
) -> Suite:
    """What `windtunnel evaluate` carries out.

    Args:
        model: a model's name or path.
        benchmark: a name of the catalogue, or a path.
        recipe: a recipe's name; its arguments have their defaults.
        data: evaluated on where the benchmark is about its suite's own data; the benchmark's own if left out.
        samples: evaluate on a stratified subset of this size instead of the benchmark's; the benchmark is then shown under another name.
        arguments: of the model.
    Raises:
        WindtunnelError: one of the names is unknown, or the benchmark has no data of its own and none is given.
    """
    found = load_benchmark(benchmark, catalog, tables)
    if samples is not None and samples != found.samples:
        found = replace(found, samples=samples, name=f"{found.name}-{samples}-samples")
    network = source(model, arguments)
    own = _data(found, data)
    _check(model, network.modality, found, own)
    how = load_recipe(recipe, own.modality, catalog, {}, tables)
    options = {"model": model, "benchmark": benchmark, "recipe": recipe, "data": _option(data), "samples": samples, "catalog": catalog.given}
    return Suite(
        name=f"evaluate-{_plain(model)}-{found.name}",
        models={model: network},
        data=own,
        recipes={recipe: how},
        benchmarks=(found,),
        seeds=(0,),
        selection="id-val",
        threads=1,
        samples=None,
        source={"evaluate": {key: value for key, value in {**options, **(arguments or {})}.items() if value is not None}},
    )


def _check(model: str, takes: str | None, benchmark: Benchmark, data: DataSource) -> None:
    """Model, benchmark and data must be of one modality, as far as that is known before loading."""
    if takes not in (None, data.modality) or benchmark.modality != data.modality:
        raise DataError(
            f"{data.title} holds {data.modality}s, the benchmark {benchmark.name} has {benchmark.modality} inputs and {model} takes "
            f"{takes or data.modality} inputs; choose three that go together."
        )


def _data(benchmark: Benchmark, given: DataSource | None) -> DataSource:
    if given is not None:
        return given
    if benchmark.data is None:
        raise DataError(
            f"The benchmark {benchmark.name} is about the suite's own data. Name it with --data: a data set (windtunnel list datasets), "
            "or a folder with one folder of images per class."
        )
    return benchmark.data.source


def _option(data: DataSource | None) -> str | None:
    """What names the data on a command line: a folder's path, or a name."""
    return None if data is None else str(data.arguments().get("path") or data.use)


def _plain(model: str) -> str:
    """A model's name as part of a folder's name."""
    return re.sub(r"[^A-Za-z0-9.-]+", "-", model).strip("-.") or "model"
