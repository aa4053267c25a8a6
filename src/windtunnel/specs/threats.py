"""The threats of a benchmark: each checked by its class, sets of corruptions spelled out, every one under a name of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from windtunnel.core.modality import ANY
from windtunnel.core.threat import Threat
from windtunnel.errors import UnknownNameError, suggest
from windtunnel.specs.arguments import Arguments
from windtunnel.specs.fields import describe, shown_name
from windtunnel.specs.headline import CLEAN, FAMILIES
from windtunnel.specs.nodes import Document, Node
from windtunnel.specs.references import Reference, load, reference, split
from windtunnel.specs.tables import Tables

SET_OF_CORRUPTIONS = "corruptions"
"""`{use: corruptions, set: common, ...}` stands for every corruption of the set, with the same arguments."""

DEFAULT_SET = "common"


@dataclass(frozen=True)
class _Made:
    """A threat before it has its shown name."""

    found: Reference
    threat: Threat


@dataclass(frozen=True)
class Threats:
    """The threats of one benchmark.

    Args:
        named: by shown name.
        complete: whether all that the file lists could be read.
    """

    named: Mapping[str, Threat]
    complete: bool


def read_threats(document: Document, nodes: tuple[Node, ...], tables: Tables, modality: str) -> Threats:
    """The threats that a benchmark lists, for inputs of one modality ("image")."""
    made: list[_Made] = []
    complete = True
    for node in nodes:
        found = reference(document, node, tables.threats.noun)
        several = _members(found, tables) if found else []
        built = [_build(member, tables, modality) for member in several]
        made += [each for each in built if each is not None]
        complete &= bool(built) and None not in built
    return Threats(_named(document, made), complete)


def _members(found: Reference, tables: Tables) -> list[Reference]:
    """The references that one entry stands for: itself, or the corruptions of its set."""
    document = found.arguments.document
    if found.use != SET_OF_CORRUPTIONS:
        return [found]
    if found.shown is not None:
        document.report(found.shown.place, "A set of corruptions has no 'name' of its own; each of them is shown under its name. Remove the key.")
    node = found.arguments.nodes.get("set")
    name = DEFAULT_SET if node is None else node.value
    if not isinstance(name, str) or name not in tables.corruption_sets:
        place = found.place if node is None else node.place
        shown = found.use if node is None else describe(node)
        document.report(place, f"There is no set of corruptions {shown}. {suggest(str(name), tables.corruption_sets)}")
        return []
    rest = found.without("set")
    return [Reference(found.node, member, found.use_node, None, rest) for member in tables.corruption_sets[name]]


def _build(found: Reference, tables: Tables, modality: str) -> _Made | None:
    document = found.arguments.document
    if found.use == CLEAN:
        document.report(found.place, "The clean evaluation is part of every benchmark. Remove it from the threats.")
        return None
    if found.use not in tables.threats:
        names = {*tables.threats, SET_OF_CORRUPTIONS} - {CLEAN}
        error = UnknownNameError(f"Unknown threat {found.use!r}. {suggest(found.use, names)}")
        document.report(found.place, str(error))
        return None
    kind = load(tables.threats, found)
    if kind is None:
        return None
    if kind.modality not in (modality, ANY):
        document.report(found.place, f"{found.use!r} changes {kind.modality} inputs, but the benchmark's task has {modality} inputs.")
        return None
    if not _fitting_data(found, tables, modality):
        return None
    threat = _beside(found).build(kind)
    return None if threat is None else _Made(found, threat)


def _fitting_data(found: Reference, tables: Tables, modality: str) -> bool:
    """Whether the other data that a threat names, if it does, can be made from its options and has inputs of the modality."""
    document, data, options = found.arguments.document, found.arguments.nodes.get("data"), found.arguments.nodes.get("options")
    if data is None:
        return True
    node = data
    if options is not None and isinstance(options.value, Mapping) and isinstance(data.value, str):
        node = replace(data, value={**options.value, "use": data}, keys=options.keys)
    other = split(document, node, tables, own=False)
    if other is None or other.source is None:
        return False
    if other.source.modality != modality:
        document.report(data.place, f"{other.source.title} holds {other.source.modality}s, but the benchmark's task has {modality} inputs.")
    return other.source.modality == modality


def _beside(found: Reference) -> Arguments:
    """The arguments, with a `path` among the options of other data as the file means it."""
    options = found.arguments.nodes.get("options")
    path = options.value.get("path") if options is not None and isinstance(options.value, Mapping) else None
    if options is None or path is None or not isinstance(path.value, str) or not isinstance(options.value, Mapping):
        return found.arguments
    moved = replace(options, value={**options.value, "path": replace(path, value=found.arguments.document.beside(path.value))})
    return replace(found.arguments, nodes={**found.arguments.nodes, "options": moved})


def _named(document: Document, made: list[_Made]) -> dict[str, Threat]:
    """Threats by shown name: the one given, else the name of the threat, with its norm where two share it."""
    shared = Counter(each.found.use for each in made if each.found.shown is None)
    named: dict[str, Threat] = {}
    for each in made:
        norm = getattr(each.threat, "norm", None)
        name = each.found.use
        if each.found.shown is not None:
            given = shown_name(document, each.found.shown)
            if given is None:
                continue
            name = given
        elif shared[name] > 1 and norm:
            name = f"{name} {norm}"
        place = (each.found.shown or each.found.node).place
        if name in named:
            document.report(place, f"Two threats are shown as {name!r}. Give one of them a 'name' of its own, or write their levels as one list.")
        elif name == CLEAN or (name.removesuffix("s") in FAMILIES and name.removesuffix("s") != each.threat.family):
            document.report(place, f"The name {name!r} means something else in headlines. Choose another 'name'.")
        else:
            named[name] = each.threat
    return named
