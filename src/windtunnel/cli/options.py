"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SuiteName = Annotated[str, typer.Argument(help="Name of a suite in the catalogue, or a path to a .yaml file.", show_default=False)]
RunFolder = Annotated[
    Path, typer.Argument(help="A run's folder (runs/SUITE/latest), a published folder, or a suite's name for its newest run.", show_default=False)
]
CatalogFolder = Annotated[
    Path | None, typer.Option("--catalog", help="Folder with suites/, benchmarks/ and runners/ to look in first.", show_default=False)
]
StoreFolder = Annotated[
    Path | None,
    typer.Option("--store", help="Where results are kept between runs (default: WINDTUNNEL_STORE, else your cache folder).", show_default=False),
]
RunsFolder = Annotated[Path, typer.Option("--runs", help="Where runs' folders are written.")]
RunnerName = Annotated[str, typer.Option("--runner", help="Execution profile: a name of runners/ or a path. It changes no number.")]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Worker processes (default: the runner's).", show_default=False)]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only the result.")]
