"""The training conditions of a suite: each checked by its class, for inputs of the modality of the suite's data."""

from __future__ import annotations

from collections.abc import Iterable

from windtunnel.core.condition import CLEAN, Condition
from windtunnel.core.modality import ANY
from windtunnel.core.suite import UNDER
from windtunnel.errors import UnknownNameError, suggest
from windtunnel.specs.fields import Fields, shown_name
from windtunnel.specs.nodes import Document, Node
from windtunnel.specs.references import load, reference
from windtunnel.specs.tables import Tables


def read_conditions(fields: Fields, tables: Tables, modality: str) -> dict[str, Condition | None]:
    """The conditions that a suite lists, by shown name; "clean" is None. Without the key there are none."""
    document = fields.document
    found: dict[str, Condition | None] = {}
    for node in fields.items("conditions", "conditions") if "conditions" in fields else ():
        made = _condition(document, node, tables, modality)
        if made is not None and made[0] in found:
            document.report(node.place, f"Two conditions are shown as {made[0]!r}. Give one of them another 'name': {{use: ..., name: ...}}.")
        elif made is not None:
            found[made[0]] = made[1]
    return found


def _condition(document: Document, node: Node, tables: Tables, modality: str) -> tuple[str, Condition | None] | None:
    found = reference(document, node, tables.conditions.noun)
    if found is None:
        return None
    if found.use == CLEAN:
        if found.shown is not None or found.arguments.nodes:
            document.report(node.place, f"{CLEAN} is the data as it is; it has no arguments and no other name.")
        return CLEAN, None
    if found.use not in tables.conditions:
        error = UnknownNameError(f"Unknown condition {found.use!r}. {suggest(found.use, [*tables.conditions, CLEAN])}")
        document.report(found.place, str(error))
        return None
    kind = load(tables.conditions, found)
    if kind is None:
        return None
    if kind.modality not in (modality, ANY):
        document.report(found.place, f"{found.use} changes {kind.modality} inputs, but the suite's data holds {modality}s.")
        return None
    made = found.arguments.build(kind)
    if made is None:
        return None
    name = made.title if found.shown is None else shown_name(document, found.shown)
    if name == CLEAN:
        document.report(node.place, f"The name {CLEAN!r} stands for the data as it is. Choose another 'name'.")
        return None
    return None if name is None else (name, made)


def check_names(fields: Fields, recipes: Iterable[str], conditions: Iterable[str]) -> None:
    """Refuse names by which an entry could be two of them: a recipe under a condition, or a recipe of that name."""
    for key, names in (("recipes", recipes), ("conditions", conditions)):
        for name in names:
            place = fields.node_of(key)
            if UNDER in name and place is not None:
                fields.document.report(place.place, f"{name!r} holds {UNDER!r}, which stands between recipe and condition. Choose another 'name'.")
