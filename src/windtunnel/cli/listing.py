"""`list`: names only, so that it answers at once."""

from __future__ import annotations

from pathlib import Path

import typer

from windtunnel import builtins
from windtunnel.catalog import KINDS, Catalog
from windtunnel.errors import UnknownNameError, suggest
from windtunnel.registry import Registry

TABLES: dict[str, Registry] = {  # type: ignore[type-arg]  # of different nouns
    "models": builtins.MODELS,
    "recipes": builtins.RECIPES,
    **{table.plural: table for table in builtins.PARTS},
    "conditions": builtins.CONDITIONS,
    "threats": builtins.THREATS,
    "datasets": builtins.DATASETS,
    "metrics": builtins.METRICS,
}


def list_catalogue(what: str, catalog: Path | None) -> None:
    """Print the names of one kind, or of all.

    Raises:
        UnknownNameError: no such kind.
    """
    found = Catalog(catalog)
    kinds = list(dict.fromkeys((*KINDS, *TABLES)))
    if what and what not in kinds:
        raise UnknownNameError(f"There is nothing called {what!r} to list. {suggest(what, kinds)}")
    for kind in [what] if what else kinds:
        names = [*(found.names(kind) if kind in KINDS else ()), *TABLES.get(kind, ())]
        typer.echo(f"{kind}:")
        for name in names:
            typer.echo(f"  {name}" + ("/..." if kind == "models" else ""))
    if not what:
        typer.echo("\nwindtunnel show NAME explains one of them.")
