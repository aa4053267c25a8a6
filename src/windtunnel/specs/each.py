"""Each: one entry of a suite that stands for several, one for each combination of values of its arguments."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from windtunnel.specs.fields import describe
from windtunnel.specs.nodes import Document, Node, Place

EACH = "each"

MOST = 500
"""Entries that one may stand for; a suite of a hundred recipes is a large one."""

APART = ("use", "name", EACH)
"""Keys of an entry that are no arguments."""


@dataclass(frozen=True)
class _Axis:
    """An argument and its values.

    Args:
        path: of the argument.
        place: of its key.
        values: one node for each.
    """

    path: tuple[str, ...]
    place: Place
    values: tuple[Node, ...]


def expanded(document: Document, node: Node) -> tuple[Node, ...]:
    """What an entry stands for: itself, or with the key `each` an entry for every combination; none after a problem was reported."""
    if not isinstance(node.value, Mapping) or EACH not in node.value:
        return (node,)
    before = len(document.problems)
    entries = {key: value for key, value in node.value.items() if key != EACH}
    axes = list(_axes(document, node.value[EACH], ()))
    many = math.prod(len(axis.values) for axis in axes)
    if many > MOST:
        document.report(node.value[EACH].place, f"{EACH!r} stands for {many:,} combinations; at most {MOST} are allowed. Give shorter lists.")
    if len(document.problems) > before or node.value[EACH].broken:
        return ()
    base = replace(node, value=entries)
    crossed = [_entry(document, base, axes, values) for values in itertools.product(*(axis.values for axis in axes))]
    return tuple(crossed) if len(document.problems) == before else ()


def _axes(document: Document, node: Node, path: tuple[str, ...]) -> Iterator[_Axis]:
    """The arguments below a mapping, with everything wrong reported."""
    if node.broken:
        return
    if not isinstance(node.value, Mapping) or not node.value:
        document.report(node.place, f"{EACH!r} maps arguments to lists of values, such as {{alpha: [0, 0.5, 1]}}; found {describe(node)}.")
        return
    for key, values in node.value.items():
        inner = (*path, *key.split("."))
        if inner[0] in APART:
            document.report(node.keys[key], f"{key!r} is no argument; {EACH!r} takes arguments. Write several entries instead.")
        elif isinstance(values.value, Mapping):
            yield from _axes(document, values, inner)
        elif isinstance(values.value, tuple) and values.value:
            yield _Axis(inner, node.keys[key], values.value)
        elif not values.broken:
            document.report(values.place, f"{'.'.join(inner)!r} under {EACH!r} must be a list of values; found {describe(values)}.")


def _entry(document: Document, base: Node, axes: list[_Axis], values: tuple[Node, ...]) -> Node:
    """One combination, with a name that says which."""
    entry = base
    for axis, value in zip(axes, values, strict=True):
        entry = _put(document, entry, axis, axis.path, value)
    assert isinstance(entry.value, Mapping), "it was one"
    named = entry.value.get("name", entry.value.get("use"))
    if named is None or not isinstance(named.value, str):
        return entry  # which is reported where it is read
    told = " ".join(f"{'.'.join(axis.path)}={_text(value)}" for axis, value in zip(axes, values, strict=True))
    return replace(entry, value={**entry.value, "name": replace(named, value=f"{named.value} {told}")})


def _put(document: Document, node: Node, axis: _Axis, path: tuple[str, ...], value: Node) -> Node:
    """A mapping with a value at the end of a path; a part that is there by name becomes a mapping with `use`."""
    there = node.value if isinstance(node.value, Mapping) else {"use": node} if isinstance(node.value, str) else None
    if there is None or (len(path) == 1 and path[0] in there):
        document.report(axis.place, f"{'.'.join(axis.path)!r} is given under {EACH!r} and beside it. Keep one.")
        return node
    inner = value
    if len(path) > 1:
        inner = _put(document, there.get(path[0], Node(axis.place, {})), axis, path[1:], value)
    return Node(node.place, {**there, path[0]: inner}, {**node.keys, path[0]: node.keys.get(path[0], axis.place)})


def _text(node: Node) -> str:
    """A value as part of a name."""
    value = node.value
    if isinstance(value, tuple):
        return "+".join(_text(item) for item in value) or "none"
    if isinstance(value, Mapping):
        rest = ", ".join(f"{key}={_text(item)}" for key, item in value.items() if key != "use")
        use = _text(value["use"]) if "use" in value else ""
        return f"{use}({rest})" if rest else use
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
