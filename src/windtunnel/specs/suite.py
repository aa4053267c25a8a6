"""Suites: suites/*.yaml to `core.suite.Suite`, with the benchmarks they name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import cast, get_args

from windtunnel.catalog import Catalog
from windtunnel.core.modality import IMAGE
from windtunnel.core.suite import Benchmark, Selection, Suite
from windtunnel.errors import CatalogError, Problem, RecipeError, SpecError
from windtunnel.specs.benchmark import read_benchmark
from windtunnel.specs.conditions import check_names, read_conditions
from windtunnel.specs.each import expanded
from windtunnel.specs.fields import Fields, describe
from windtunnel.specs.nodes import Document, Node, read
from windtunnel.specs.recipes import Reading
from windtunnel.specs.references import collect, data, model
from windtunnel.specs.tables import BUILTIN, Tables

KEYS = ("suite", "models", "data", "recipes", "conditions", "benchmarks", "seeds", "selection", "threads", "samples", "val_samples", "normaliser")
SELECTIONS: tuple[str, ...] = get_args(Selection)
DEFAULT_SEEDS = (0,)
ALEXNET_NAME = "alexnet"


def load_suite(name: str | Path, catalog: Catalog, tables: Tables = BUILTIN) -> Suite:
    """The suite of a catalogue's name or of a .yaml file, with its benchmarks.

    Raises:
        CatalogError: there is no such file.
        SpecError: everything wrong in it and in the benchmarks it names.
    """
    problems: list[Problem] = []
    path = catalog.find("suites", name)
    found = _read(path, catalog, problems, tables)
    if found is None:
        raise SpecError(problems)
    return found


def _read(path: Path, catalog: Catalog, problems: list[Problem], tables: Tables) -> Suite | None:
    document, root = read(path, catalog.show(path), problems)
    if root is None:
        return None
    fields = Fields(document, root, "A suite", KEYS)
    name = fields.file_name("suite")
    models = collect(document, fields.items("models", "models"), partial(model, document, tables=tables), "model")
    place = fields.node_of("data")
    source = data(document, place, tables) if place else None
    modality = source.modality if source else IMAGE
    entries = [each for node in fields.items("recipes", "recipes") for each in expanded(document, node)]
    recipes = collect(document, tuple(entries), Reading(document, catalog, tables, modality).recipe, "recipe")
    conditions = read_conditions(fields, tables, modality)
    benchmarks = _benchmarks(document, fields.items("benchmarks", "benchmarks"), path, catalog, tables)
    seeds, selection = _seeds(fields), fields.choice("selection", SELECTIONS, SELECTIONS[0])
    threads = fields.integer("threads", low=1, default=1)
    samples, val_samples = fields.integer("samples", low=1), fields.integer("val_samples", low=1)
    if problems or not (name and source and threads):
        return None
    suite = Suite(
        name=name,
        models=models,
        data=source,
        recipes=recipes,
        benchmarks=benchmarks,
        seeds=seeds,
        selection=cast(Selection, selection),
        threads=threads,
        samples=samples,
        source=root.plain(),
        conditions=conditions,
        val_samples=val_samples,
    )
    _check_modality(document, fields, suite)
    _check_surrogates(document, fields, suite)
    _check_selection(document, entries, suite)
    _check_normaliser(fields, suite)
    if conditions:
        check_names(fields, recipes, conditions)
    return None if problems else suite


def _check_modality(document: Document, fields: Fields, suite: Suite) -> None:
    """Models and benchmarks must take what the suite's data holds; a model that only loading tells is checked by the plan."""
    held = suite.data.modality
    kinds = [("models", f"The model {name!r} takes", source.modality) for name, source in suite.models.items()]
    kinds += [("benchmarks", f"The benchmark {each.name!r} has", each.modality) for each in suite.benchmarks]
    for key, told, modality in kinds:
        place = fields.node_of(key)
        if modality not in (None, held) and place is not None:
            document.report(place.place, f"{told} {modality} inputs, but the suite's data {suite.data.title} holds {held}s.")


def _check_surrogates(document: Document, fields: Fields, suite: Suite) -> None:
    """Every surrogate that a threat follows must be trained by the suite."""
    place = fields.node_of("benchmarks")
    for benchmark in suite.benchmarks:
        for threat in benchmark.threats.values():
            try:
                suite.surrogate(threat)
            except RecipeError as error:
                assert place is not None, "a suite without benchmarks has no threats"
                document.report(place.place, f"{benchmark.name}: {error}")


def _check_selection(document: Document, entries: Sequence[Node], suite: Suite) -> None:
    """No recipe may choose by what the suite reports on."""
    for node, (name, recipe) in zip(entries, suite.recipes.items(), strict=True):
        for why in suite.forbidden(recipe):
            document.report(node.place, f"{name}: {why}")


def _check_normaliser(fields: Fields, suite: Suite) -> None:
    """What corruption errors are divided by must be known: the published table, or an entry of the suite.

    The report reads it off the file's content.
    """
    node = fields.node_of("normaliser") if "normaliser" in fields else None
    if node is None:
        return
    text = node.value if isinstance(node.value, str) else ""
    model, _, recipe = (part.strip() for part in text.partition("+"))
    if text != ALEXNET_NAME and not (model in suite.models and recipe in suite.trainings):
        fields.document.report(
            node.place,
            f'A normaliser is {ALEXNET_NAME} (its published errors on ImageNet-C), or "MODEL + RECIPE" with a model ({", ".join(suite.models)}) and '
            f"a recipe ({', '.join(suite.trainings)}) of the suite; found {describe(node)}.",
        )


def _benchmarks(document: Document, nodes: tuple[Node, ...], suite: Path, catalog: Catalog, tables: Tables) -> tuple[Benchmark, ...]:
    read_already: list[Path] = []
    named: dict[str, Benchmark] = {}
    for node in nodes:
        if not isinstance(node.value, str):
            document.report(node.place, f"A benchmark is a name or a .yaml file; found {describe(node)}.")
            continue
        try:
            path = catalog.find("benchmarks", node.value, beside=suite)
            if path in read_already:
                document.report(node.place, f"The benchmark {node.value!r} is listed twice.")
                continue
            read_already.append(path)
            found = read_benchmark(path, catalog.show(path), document.problems, tables)
        except CatalogError as error:
            document.report(node.place, str(error))
            continue
        if found is not None and found.name in named:
            document.report(node.place, f"Two benchmarks are called {found.name!r}; {catalog.show(path)} is the second. Change its key 'benchmark'.")
        elif found is not None:
            named[found.name] = found
    return tuple(named.values())


def _seeds(fields: Fields) -> tuple[int, ...]:
    if "seeds" not in fields:
        return DEFAULT_SEEDS
    seeds: list[int] = []
    for node in fields.items("seeds", "whole numbers"):
        if not isinstance(node.value, int) or isinstance(node.value, bool) or node.value < 0:
            fields.document.report(node.place, f"A seed is a whole number of at least 0; found {describe(node)}.")
        elif node.value in seeds:
            fields.document.report(node.place, f"The seed {node.value} is listed twice.")
        else:
            seeds.append(node.value)
    return tuple(seeds)
