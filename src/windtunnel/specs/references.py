"""References: a name, or a mapping with `use`, an optional `name` and arguments, to what it stands for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from windtunnel.core.configured import Configured
from windtunnel.core.dataset import SPLITS, DataSource
from windtunnel.core.model import ModelSource
from windtunnel.core.suite import DataRef
from windtunnel.errors import WindtunnelError, suggest
from windtunnel.registry import Registry
from windtunnel.specs.arguments import Arguments
from windtunnel.specs.fields import describe, shown_name
from windtunnel.specs.nodes import Document, Node, Place
from windtunnel.specs.tables import Tables

C = TypeVar("C", bound=Configured)
T = TypeVar("T")

OWN_DATA = "suite"
"""In a benchmark, `suite[test]` is the data that the suite fine-tunes on."""

_SPLIT = re.compile(r"(?P<name>[^\[\]]+)\[(?P<split>[^\[\]]*)\]")


@dataclass(frozen=True)
class Reference:
    """One thing that a file refers to.

    Args:
        node: all of it.
        use: the name that is looked up.
        use_node: where that name stands.
        shown: the name it is to be shown under, if one was given.
        arguments: everything else.
    """

    node: Node
    use: str
    use_node: Node
    shown: Node | None
    arguments: Arguments

    @property
    def place(self) -> Place:
        """Where the name that is looked up stands."""
        return self.use_node.place

    def without(self, *keys: str) -> Arguments:
        """The arguments but for some."""
        nodes = {key: node for key, node in self.arguments.nodes.items() if key not in keys}
        return replace(self.arguments, nodes=nodes)


def reference(document: Document, node: Node, noun: str, *, named: bool = True) -> Reference | None:
    """What a node refers to, or None after a problem was reported.

    Args:
        noun: "recipe", for messages.
        named: whether `name` is the shown name; an argument like any other if not.
    """
    if node.broken:
        return None
    use = node.value.get("use") if isinstance(node.value, Mapping) else node
    if use is None:
        document.report(node.place, f"A {noun} written as a mapping needs the key 'use', its name in the table of {noun}s.")
        return None
    if use.broken:
        return None
    if not isinstance(use.value, str) or not use.value.strip():
        document.report(use.place, f"A {noun} is a name, or a mapping with 'use' and arguments; found {describe(use)}.")
        return None
    entries = node.value if isinstance(node.value, Mapping) else {}
    shown = entries.get("name") if named else None
    nodes = {key: value for key, value in entries.items() if key != "use" and not (named and key == "name")}
    return Reference(node, use.value, use, shown, Arguments(document, use.value, node.place, nodes, node.keys))


def attempt(document: Document, place: Place, find: Callable[[], T]) -> T | None:
    """What `find` answers, or None after its complaint was reported.

    A missing optional package is a problem of the file like any other: what it asks for cannot be had here.
    """
    try:
        return find()
    except WindtunnelError as error:
        cause = error.__cause__
        absent = cause.name if isinstance(cause, ModuleNotFoundError) and cause.name and not cause.name.startswith("windtunnel") else None
        hint = (
            f" The package {absent!r} is not installed; what the built-in names need comes with: pip install 'windtunnel[vision]'" if absent else ""
        )
        document.report(place, f"{error}{hint}")
        return None


def load(registry: Registry[C], found: Reference) -> type[C] | None:
    """The class that a reference names in a table."""
    return attempt(found.arguments.document, found.place, lambda: registry.load(found.use))


def model(document: Document, node: Node, tables: Tables) -> tuple[str, ModelSource] | None:
    """A model's source and its shown name."""
    found = reference(document, node, "model")
    if found is None:
        return None
    name, meant = title(found), attempt(document, found.place, lambda: tables.model(found.use))
    if meant is None:
        return None
    rest = document.beside(meant.rest) if meant.local else meant.rest
    make = partial(meant.kind, name=rest)  # type: ignore[call-arg]  # every concrete source has the field
    made = found.arguments.build(meant.kind, make)
    return (name, made) if name and made else None


def data(document: Document, node: Node, tables: Tables) -> DataSource | None:
    """A whole data set."""
    found = reference(document, node, tables.datasets.noun, named=False)
    if found is None:
        return None
    split = _SPLIT.fullmatch(found.use)
    if split:
        document.report(found.place, f"A whole data set is meant, without a split: write {split['name']!r} instead of {found.use!r}.")
        return None
    return _source(found, tables)


def _source(found: Reference, tables: Tables) -> DataSource | None:
    arguments, path = found.arguments, found.arguments.nodes.get("path")
    if path is not None and isinstance(path.value, str):
        moved = replace(path, value=arguments.document.beside(path.value))
        arguments = replace(arguments, nodes={**arguments.nodes, "path": moved})
    kind = load(tables.datasets, found)
    return arguments.build(kind) if kind else None


@dataclass(frozen=True)
class SplitOf:
    """A split, of a source or (None) of the suite's own data."""

    source: DataSource | None
    split: str

    @property
    def ref(self) -> DataRef | None:
        """The reference, unless it is to the suite's own data."""
        return None if self.source is None else DataRef(self.source, self.split)


def split(document: Document, node: Node, tables: Tables, *, own: bool) -> SplitOf | None:
    """One split of a data set: "digits[test]", or a mapping with `use`, `split` and arguments.

    Args:
        own: whether `suite[test]`, the suite's own data, may be meant.
    """
    found = reference(document, node, tables.datasets.noun, named=False)
    if found is None:
        return None
    named = _name_and_split(document, found)
    if named is None:
        return None
    name, part = named
    # In "table[test]" the split is said, and a `split` beside it is an argument of the source.
    arguments = found.arguments if _SPLIT.fullmatch(found.use) else found.without("split")
    if own and name == OWN_DATA:
        for key in arguments.nodes:
            document.report(arguments.keys[key], f"The suite's own data takes no arguments; {key!r} belongs into the suite.")
        return SplitOf(None, part)
    inner = replace(found, use=name, arguments=replace(arguments, name=name))
    source = _source(inner, tables)
    return SplitOf(source, part) if source else None


def _name_and_split(document: Document, found: Reference) -> tuple[str, str] | None:
    given = found.arguments.nodes.get("split")
    match = _SPLIT.fullmatch(found.use)
    if match:
        name, part, place = match["name"], match["split"], found.place
    elif given is None:
        where = "the key 'split'" if isinstance(found.node.value, Mapping) else f"for example '{found.use}[test]'"
        document.report(found.place, f"A split of {found.use!r} is needed: {where}, one of {', '.join(SPLITS)}.")
        return None
    else:
        name, part, place = found.use, given.value if isinstance(given.value, str) else describe(given), given.place
    if part not in SPLITS:
        document.report(place, f"{part!r} is not a split. {suggest(part, SPLITS)}")
        return None
    return name, part


def title(found: Reference) -> str | None:
    """The name a reference is shown under: its `name`, or what it refers to."""
    return shown_name(found.arguments.document, found.shown or found.use_node)


def collect(document: Document, nodes: tuple[Node, ...], read: Callable[[Node], tuple[str, C] | None], noun: str) -> dict[str, C]:
    """Named things by shown name; a repeated name is a problem."""
    things: dict[str, C] = {}
    for node in nodes:
        made = read(node)
        if made is None:
            continue
        if made[0] in things:
            document.report(node.place, f"Two {noun}s are shown as {made[0]!r}. Give one of them another 'name': {{use: ..., name: ...}}.")
        things[made[0]] = made[1]
    return things
