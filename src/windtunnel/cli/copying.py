"""The command that writes corrupted copies."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from windtunnel.datasets.reference import named_or_folder
from windtunnel.errors import DataError
from windtunnel.execution.materialize import MANIFEST, materialize


def copy_corrupted(data: str, to: Path, corruptions: str, severities: str, split: str, samples: int | None, seed: int, quiet: bool) -> None:
    """Write the copy, showing how far it is."""
    source = named_or_folder(data)
    console = Console()
    bar = Progress(
        BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console, transient=True, disable=quiet or not console.is_terminal
    )
    with bar:
        task = bar.add_task("samples", total=None)
        names = [name.strip() for name in corruptions.split(",") if name.strip()]
        made = materialize(
            source,
            to,
            corruptions=names,
            severities=_numbers(severities),
            split=split,
            samples=samples,
            seed=seed,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if not quiet:
        console.print(f"Written: {made}, described in {made / MANIFEST}", highlight=False, soft_wrap=True)


def _numbers(text: str) -> list[int]:
    try:
        return sorted({int(part) for part in text.split(",") if part.strip()})
    except ValueError:
        raise DataError(f"--severities is a list such as 1,3,5; found {text!r}.") from None
