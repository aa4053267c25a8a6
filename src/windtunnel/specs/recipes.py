"""Recipes: classes of the table and presets of the catalogue (recipes/*.yaml), with any part overridden."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from windtunnel.builtins import RECIPES
from windtunnel.catalog import Catalog
from windtunnel.core.configured import Configured
from windtunnel.core.modality import IMAGE, TEXT
from windtunnel.core.named import Named, named_arguments, overridden, path_arguments, spread
from windtunnel.core.recipe import Recipe
from windtunnel.errors import CatalogError, Problem, RecipeError, SpecError, WindtunnelError, suggest
from windtunnel.specs.arguments import Arguments
from windtunnel.specs.fields import Fields, describe
from windtunnel.specs.nodes import Document, Node, Place, read
from windtunnel.specs.references import Reference, attempt, load, reference, title
from windtunnel.specs.tables import BUILTIN, Tables

KEYS = ("recipe", "does", "helps", "costs", "source", "deviations", "use", "arguments", "image", "text", "short")
TOLD = ("does", "helps", "costs", "source", "deviations")
BY_MODALITY = (IMAGE, TEXT)


@dataclass(frozen=True)
class Preset:
    """A recipe of the catalogue: a composition with a name.

    Args:
        name: by which suites use it.
        told: what it does, when it helps, what it costs, where it comes from, and what differs there.
        made: by modality, the recipe as the file gives it.
        short: further names of arguments, with the path to what they stand for.
        text: the file.
    """

    name: str
    told: Mapping[str, str]
    made: Mapping[str, Recipe]
    short: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    text: str = field(default="", repr=False)

    @property
    def modalities(self) -> tuple[str, ...]:
        """The inputs that it can be trained on."""
        return tuple(each for each in BY_MODALITY if each in self.made[each].modalities)


def load_preset(name: str | Path, catalog: Catalog, tables: Tables = BUILTIN, opened: tuple[Path, ...] = ()) -> Preset:
    """The preset of a catalogue's name or of a .yaml file.

    Args:
        opened: presets that are being read and use it.
    Raises:
        CatalogError: there is no such file.
        RecipeError: it uses itself.
        SpecError: everything wrong in it.
    """
    path = catalog.find("recipes", name)
    if path in opened:
        raise RecipeError(f"The recipe {str(name)!r} is made of itself. Use another recipe in it.")
    problems: list[Problem] = []
    document, root = read(path, catalog.show(path), problems)
    found = None if root is None else _preset(document, root, catalog, tables, (*opened, path))
    if problems or found is None:
        raise SpecError(problems)
    return dataclasses.replace(found, text=path.read_text())


def load_recipe(name: str, modality: str, catalog: Catalog, arguments: Mapping[str, Any], tables: Tables = BUILTIN) -> Recipe:
    """A recipe for inputs of a modality, by its name in the table or the catalogue.

    Args:
        arguments: what is to be other than in the preset; parts as names, mappings or objects.
    Raises:
        CatalogError: no such recipe.
        SpecError: its file is wrong.
        RecipeError: it cannot be trained on such inputs.
        ValueError: arguments that it does not take.
    """
    if name in tables.recipes:
        kind = tables.recipes.load(name)
        return kind.suited(modality, **_resolved(kind, modality, catalog, arguments, tables))
    preset = load_preset(name, catalog, tables)
    base = preset.made[modality]
    made: Recipe = overridden(base, _resolved(type(base), modality, catalog, spread(arguments, preset.short), tables))
    made.check_modality(modality)
    return made


def _resolved(kind: type[Recipe], modality: str, catalog: Catalog, arguments: Mapping[str, Any], tables: Tables) -> dict[str, Any]:
    """Arguments in which recipes that are given by name are made, and paths are written out."""
    found = dict(arguments)
    for name, of in path_arguments(kind).items():
        if isinstance(found.get(name), Mapping):
            short = _short_names(_several(found.get(of)), catalog, tables)
            found[name] = {".".join(short.get(key, (key,))): value for key, value in found[name].items()}
    for name in named_arguments(kind).keys() & found.keys():
        if named_arguments(kind)[name].registry is RECIPES:
            value = found[name]
            made = [_made(each, modality, catalog, tables) for each in _several(value)]
            found[name] = made if isinstance(value, list | tuple) else made[0]
    return found


def _several(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _made(value: Any, modality: str, catalog: Catalog, tables: Tables) -> Any:
    """The recipe of a name, or of a mapping with `use`; anything else as it is."""
    if isinstance(value, str):
        value = {"use": value}
    if isinstance(value, Mapping) and isinstance(value.get("use"), str):
        return load_recipe(value["use"], modality, catalog, {key: each for key, each in value.items() if key != "use"}, tables)
    return value


def _short_names(recipes: Iterable[Any], catalog: Catalog, tables: Tables) -> dict[str, tuple[str, ...]]:
    """The short names of presets among recipes that are given by name."""
    names = [each.get("use") if isinstance(each, Mapping) else each for each in recipes]
    presets = [load_preset(name, catalog, tables) for name in names if isinstance(name, str) and name not in tables.recipes]
    return {key: path for preset in presets for key, path in preset.short.items()}


def _preset(document: Document, root: Node, catalog: Catalog, tables: Tables, opened: tuple[Path, ...]) -> Preset | None:
    fields = Fields(document, root, "A recipe", KEYS)
    name = fields.file_name("recipe")
    told = {key: fields.text(key) or "" for key in TOLD if key in fields or key in ("does", "source")}
    use = fields.text("use") if "use" in fields else "finetune"
    short = _short(fields)
    kind = attempt(document, root.place, lambda: tables.recipes.load(use or "finetune"))
    if document.problems or kind is None or name is None:
        return None
    made: dict[str, Recipe] = {}
    for modality in BY_MODALITY:
        given = [fields.entries[key] for key in ("arguments", modality) if key in fields.entries]
        nodes = {key: node for each in given if isinstance(each.value, Mapping) for key, node in each.value.items()}
        keys = {key: place for each in given for key, place in each.keys.items()}
        arguments = Arguments(document, name, root.place, nodes, keys)
        found = Reading(document, catalog, tables, modality, opened).build(arguments, kind, partial(_untested, kind, modality), None)
        if found is None:
            return None
        made[modality] = found
    preset = Preset(name, told, made, short)
    if not preset.modalities:
        document.report(root.place, f"{name} can be trained on no input at all: its parts do not go together.")
    return preset


def _untested(kind: type[Recipe], modality: str, **arguments: Any) -> Recipe:
    """The class with its defaults for a modality, whether or not it can be trained on it: a preset need not suit all."""
    return kind(**{**kind.defaults.get(modality, {}), **arguments})


def _short(fields: Fields) -> dict[str, tuple[str, ...]]:
    node = fields.entries.get("short")
    entries = node.value if node is not None and isinstance(node.value, Mapping) else {}
    found = {}
    for key, value in entries.items():
        if not isinstance(value.value, str):
            fields.document.report(value.place, f"A short name stands for a path such as perturb.threat.eps; found {describe(value)}.")
        else:
            found[key] = tuple(value.value.split("."))
    return found


@dataclass(frozen=True)
class Reading:
    """Recipes and their parts out of one file.

    Args:
        document: takes the problems.
        catalog: where presets are.
        tables: where names are looked up.
        modality: of the inputs.
        opened: presets that are being read; what they are made of need not suit the modality, for they need not.
    """

    document: Document
    catalog: Catalog
    tables: Tables
    modality: str
    opened: tuple[Path, ...] = ()

    def recipe(self, node: Node) -> tuple[str, Recipe] | None:
        """A recipe and its shown name, or None after its problems were reported."""
        found = reference(self.document, node, self.tables.recipes.noun)
        if found is None:
            return None
        name, made = title(found), self._recipe(found)
        return (name, made) if name and made else None

    def _recipe(self, found: Reference) -> Recipe | None:
        if found.use in self.tables.recipes:
            kind = load(self.tables.recipes, found)
            make: Any = partial(_untested, kind, self.modality) if self.opened and kind else partial(kind.suited, self.modality) if kind else None
            return None if kind is None else self.build(found.arguments, kind, make, None)
        preset = attempt(self.document, found.place, lambda: self._find(found.use))
        if preset is None:
            return None
        base: Any = preset.made[self.modality]
        arguments = dataclasses.replace(found.arguments, nodes=_spread(found.arguments, preset.short))
        made: Recipe | None = self.build(arguments, type(base), partial(dataclasses.replace, base), base)
        if made is None or self.opened:
            return made
        try:
            made.check_modality(self.modality)
        except RecipeError as error:
            self.document.report(found.place, f"{found.use}: {error}")
            return None
        return made

    def _find(self, name: str) -> Preset:
        try:
            return load_preset(name, self.catalog, self.tables, self.opened)
        except CatalogError as error:
            names = [*self.tables.recipes, *self.catalog.names("recipes")]
            raise CatalogError(f"Unknown recipe {name!r}. {suggest(name, names)} A path to a .yaml file works, too.") from error

    def build(self, arguments: Arguments, kind: type[Any], make: Callable[..., Any], base: Any) -> Any:
        """An object with its parts, or None after everything wrong was reported.

        Args:
            make: takes the arguments.
            base: what is overridden, if anything.
        """
        markers = named_arguments(kind)
        for name, of in path_arguments(kind).items():
            arguments = self._written_out(arguments, name, of)
        given, fine = {}, True
        for name, node in arguments.nodes.items():
            if name in markers and not node.broken:
                before = len(self.document.problems)
                given[name] = self.part(markers[name], node, getattr(base, name, None))
                fine = fine and len(self.document.problems) == before
        rest = arguments if fine else dataclasses.replace(arguments, nodes={key: node for key, node in arguments.nodes.items() if key not in given})
        made = rest.build(kind, make, given=given if fine else {})
        return made if fine else None

    def part(self, marker: Named, node: Node, base: Any) -> Any:
        """What one argument that is a part, or a list of them, stands for."""
        if node.value is None and marker.optional:
            return None
        if not marker.many:
            return self.one(marker, node, base)
        if isinstance(node.value, Mapping) and isinstance(base, tuple) and node.value and all(key.isdigit() for key in node.value):
            changes = {int(key): each for key, each in node.value.items()}
            return tuple(self.one(marker, changes[place], each) if place in changes else each for place, each in enumerate(base))
        nodes = node.value if isinstance(node.value, tuple) else (node,)
        return tuple(self.one(marker, each, None) for each in nodes)

    def one(self, marker: Named, node: Node, base: Any) -> Any:
        """A single part."""
        entries = node.value if isinstance(node.value, Mapping) else None
        if entries is not None and "use" not in entries and isinstance(base, Configured):
            arguments = Arguments(self.document, base.use, node.place, entries, node.keys)
            return self.build(arguments, type(base), partial(dataclasses.replace, base), base)  # type: ignore[type-var]  # parts are dataclasses
        if marker.registry is RECIPES:
            found = reference(self.document, node, marker.registry.noun, named=False)
            return None if found is None else self._recipe(found)
        if entries is not None and "use" not in entries and marker.implied:
            kind = marker.registry.load(marker.implied)
            return self.build(Arguments(self.document, marker.implied, node.place, entries, node.keys), kind, kind, None)
        named = reference(self.document, node, marker.registry.noun, named=False)
        if named is None:
            return None
        found_kind = load(marker.registry, named)
        return None if found_kind is None else self.build(named.arguments, found_kind, found_kind, None)

    def _written_out(self, arguments: Arguments, name: str, of: str) -> Arguments:
        """Arguments in which the keys of one, which are paths, have the presets' short names written out."""
        node, recipes = arguments.nodes.get(name), arguments.nodes.get(of)
        if node is None or recipes is None or not isinstance(node.value, Mapping):
            return arguments
        try:
            short = _short_names(_several(recipes.plain()), self.catalog, self.tables)
        except WindtunnelError:
            return arguments  # it is reported where the recipes are read
        paths = {key: ".".join(short.get(key, (key,))) for key in node.value}
        whole = dataclasses.replace(
            node, value={paths[key]: each for key, each in node.value.items()}, keys={paths[key]: each for key, each in node.keys.items()}
        )
        return dataclasses.replace(arguments, nodes={**arguments.nodes, name: whole})


def _spread(arguments: Arguments, short: Mapping[str, tuple[str, ...]]) -> dict[str, Node]:
    """Nodes in which short names are written out."""

    def whole(value: Any, place: Place) -> Node:
        if isinstance(value, Node):
            return value
        inner = {key: whole(each, place) for key, each in value.items()}
        return Node(place, inner, {key: each.place for key, each in inner.items()})

    return {key: whole(value, arguments.keys.get(key, arguments.place)) for key, value in spread(arguments.nodes, short).items()}
