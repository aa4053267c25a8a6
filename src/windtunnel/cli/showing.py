"""Commands that explain and compute nothing."""

from __future__ import annotations

import dataclasses
import inspect
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import typer
import yaml

from windtunnel.catalog import KINDS, Catalog, Kind, default_store
from windtunnel.cli.durations import duration
from windtunnel.cli.listing import TABLES
from windtunnel.core.canonical import plain
from windtunnel.core.cell import Cell
from windtunnel.core.configured import brief
from windtunnel.core.suite import Benchmark, Suite
from windtunnel.errors import CatalogError, Problem, SpecError, UnknownNameError, WindtunnelError, suggest
from windtunnel.execution.effort import seconds_of
from windtunnel.execution.facts import Facts
from windtunnel.execution.plan import Plan
from windtunnel.execution.plan import plan as make_plan
from windtunnel.execution.run import lacking, missing
from windtunnel.execution.store import Store
from windtunnel.provenance import collect, version
from windtunnel.reporting.texts import listed
from windtunnel.specs import load_benchmark, load_preset, load_runner, load_suite

LOADERS: Mapping[Kind, Callable[[str, Catalog], object]] = MappingProxyType(
    {"suites": load_suite, "benchmarks": load_benchmark, "recipes": load_preset, "runners": load_runner}
)


def show_plan(name: str, catalog: Path | None, store: Path | None, workers: int | None) -> None:
    """Print every cell with its state, then the effort."""
    suite = load_suite(name, Catalog(catalog))
    place = Store(store or default_store())
    planned = make_plan(suite, Facts(place))
    held = {cell.key for cell in planned.cells if place.has(cell.key)}
    for cell in planned.cells:
        key = cell.key[:12] if cell.key else "not known yet"
        state = "held " if cell.key in held else "to do"
        what = "finetune" if cell.kind == "finetune" else "  attack"
        if cell.labels.family in ("clean", "corruption", "shift"):
            what = f"  {cell.labels.family}"
        typer.echo(f"{state}  {key:13}  {what:12}  {cell.labels}  ({cell.passes:,.0f} passes)")
    _warn(lacking(suite))
    _say_effort(planned, [cell for cell in planned.cells if cell.key not in held], len(held), place, workers)


def _say_effort(planned: Plan, todo: list[Cell], held: int, store: Store, workers: int | None) -> None:
    count = Counter(cell.kind for cell in planned.cells)
    typer.echo(f"\n{len(planned.cells)} cells: {count['finetune']} fine-tunings, {count['evaluate']} evaluations; {held} held by the store.")
    if not planned.complete:
        typer.echo("The data or weights were never loaded here, so keys are not known yet; `windtunnel fetch` or `run` loads them.")
    if todo:
        estimate = seconds_of(todo, store, workers, planned.models)
        known = "" if estimate.measured else ", assuming speeds that were measured elsewhere"
        typer.echo(
            f"To do: {sum(cell.passes for cell in todo):,.0f} passes, about {duration(estimate.seconds)} on {estimate.workers} workers{known}."
        )


def validate_files(files: list[str], catalog: Path | None) -> None:
    """Load every file; all problems of all files at once.

    Raises:
        SpecError, CatalogError: something is wrong.
    """
    found = Catalog(catalog)
    problems: list[Problem] = []
    for name in files:
        try:
            for kind in _kinds(name, found):
                read = LOADERS[kind](name, found)
                typer.echo(f"{kind.removesuffix('s')} {name}: fine")
                _warn(lacking(read) if isinstance(read, Suite) else missing([read] if isinstance(read, Benchmark) else []))
        except SpecError as error:
            problems += error.problems
    if problems:
        raise SpecError(problems)


def _warn(lacking: list[str]) -> None:
    """Say what is not installed here; the file may still be run elsewhere."""
    for line in lacking:
        typer.echo(f"warning: on this machine {line}", err=True)


def _kinds(name: str, catalog: Catalog) -> list[Kind]:
    """What a name or file is: every folder that holds the name, else by the key that the file begins with."""
    named = [kind for kind in KINDS if name in catalog.names(kind)]
    if named:
        return named
    path = Path(name)
    if not path.is_file():
        names = [each for kind in KINDS for each in catalog.names(kind)]
        raise CatalogError(f"There is no suite, benchmark, recipe, runner or file {name!r}. {suggest(name, names)}")
    if path.suffix not in (".yaml", ".yml"):
        raise CatalogError(f"{name} is not a .yaml file; suites, benchmarks, recipes and runners are.")
    text = path.read_text(errors="replace")
    beginnings = {line.partition(":")[0] for line in text.splitlines()}
    return [next((kind for kind in ("suites", "runners", "benchmarks", "recipes") if kind.removesuffix("s") in beginnings), "suites")]


def show_name(name: str, catalog: Path | None) -> None:
    """Print documentation and arguments of a name in a table, or the file of a name in the catalogue.

    Raises:
        UnknownNameError: it is nowhere.
    """
    found = Catalog(catalog)
    files = [(folder, found.find(folder, name)) for folder in KINDS if name in found.names(folder)]
    for folder, path in files:
        typer.echo(f"# {folder.removesuffix('s')} {name}: {path}\n{path.read_text()}", nl=False)
    tables = [table for table in TABLES.values() if name in table]
    for number, table in enumerate(tables):
        if number or files:
            typer.echo()
        _explain(table.noun, name, table.load(name))
    if files or tables:
        return
    names = [each for table in TABLES.values() for each in table] + [each for folder in KINDS for each in found.names(folder)]
    raise UnknownNameError(f"Nothing is called {name!r}. {suggest(name, names)}")


def _explain(noun: str, name: str, kind: type) -> None:
    typer.echo(f"{noun} {name}\n\n{inspect.getdoc(kind) or ''}\n")
    typer.echo("Arguments and defaults in a file:")
    for field in dataclasses.fields(kind):
        default = field.default
        if isinstance(default, object) and hasattr(default, "default"):
            default = default.default  # pydantic's Field
        if default is dataclasses.MISSING or repr(default) == "PydanticUndefined":
            shown = "required" if field.default_factory is dataclasses.MISSING else str(plain(field.default_factory()))
        else:
            shown = yaml.safe_dump(brief(plain(default)), default_flow_style=True).strip().removesuffix("...").strip()
        typer.echo(f"  {field.name}: {shown}")


def examine(store: Path | None) -> None:
    """Print what is installed, the device and the store."""
    found = collect()
    place = Store(store or default_store())
    typer.echo(f"windtunnel {found.windtunnel}, Python {found.python}, {found.platform}\nprocessor: {found.processor}")
    for library, number in found.libraries.items():
        typer.echo(f"  {library} {number}")
    if version("torch") is None:
        typer.echo('device: none; torch is not installed (pip install "windtunnel[vision]")')
    else:
        from windtunnel.execution.workbench import pick_device

        typer.echo(f"device: {pick_device('auto')}")
    _list_resources()
    typer.echo(f"store: {place.root} ({sum(1 for _ in place.addresses())} entries)")
    _try_to_write(place)


def _list_resources() -> None:
    """What attacks on texts read, whether it is here, and how to get what is not."""
    from windtunnel.language.resources import RESOURCES
    from windtunnel.threats.text import greedy_wordnet
    from windtunnel.threats.text.library.recipes import RECIPES

    typer.echo("resources of attacks on texts (`windtunnel fetch SUITE` gets those that a suite needs):")
    for name, resource in RESOURCES.items():
        users = [f"textattack/{key}" for key, recipe in RECIPES.items() if name in recipe.needs]
        users += ["greedy-wordnet"] if name in greedy_wordnet.NEEDS else []
        state = "found" if resource.found() else f"missing{f', for {listed(users)}' if users else ''}. {resource.remedy}"
        typer.echo(f"  {resource.is_}: {state}")


def _try_to_write(store: Store) -> None:
    try:
        store.root.mkdir(parents=True, exist_ok=True)
        probe = store.root / ".doctor"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise WindtunnelError(f"The store at {store.root} cannot be written: {error.strerror or error}. Name another with --store.") from error
