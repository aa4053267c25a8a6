"""A YAML file as a tree of plain values that remember their place; nothing in a file is ever executed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from windtunnel.errors import CatalogError, Problem

Plain = None | bool | int | float | str

LARGEST_FILE = 1_000_000
"""Bytes; a suite of a thousand lines has some 50,000."""

MOST_NODES = 20_000
"""Values in one file after its aliases are followed; a short file of nested aliases can stand for billions."""

DEEPEST = 32
"""Levels of nesting; the files of this project use four."""

LONGEST_EXCERPT = 200
"""Characters; a longer line would hide the message it belongs to."""

LARGEST_NUMBER = 1e18
"""Numbers below it fit 64 bits; no argument of anything is larger."""

_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Place:
    """Where something stands in a file: 1-based line and column."""

    line: int
    column: int


@dataclass(frozen=True)
class Node:
    """One value of a file.

    Args:
        place: its first character.
        value: a plain scalar, a tuple of nodes, or a mapping of nodes by key.
        keys: for a mapping, the place of each key.
        broken: its problem was reported, so that nobody reports what follows from it.
    """

    place: Place
    value: Plain | tuple[Node, ...] | Mapping[str, Node]
    keys: Mapping[str, Place] = field(default_factory=dict, repr=False)
    broken: bool = False

    def plain(self) -> Any:
        """The value without places, as lists, dicts and scalars."""
        if isinstance(self.value, tuple):
            return [item.plain() for item in self.value]
        if isinstance(self.value, Mapping):
            return {key: item.plain() for key, item in self.value.items()}
        return self.value


@dataclass(frozen=True)
class Document:
    """A file being read, and the problems found in it so far.

    Args:
        file: its name as shown to the user.
        lines: its lines, for excerpts.
        problems: grows while the file is read; shared by the files of one suite.
        folder: the folder it lies in, from which relative paths in it are meant; None if it is no file.
    """

    file: str
    lines: tuple[str, ...]
    problems: list[Problem]
    folder: Path | None = None

    def beside(self, path: str) -> str:
        """A path as the file means it: relative ones start at its folder, wherever the command was started."""
        return path if self.folder is None or path.startswith("~") else str(self.folder / path)

    def report(self, place: Place, message: str) -> None:
        """Note a problem, once."""
        line = self.lines[place.line - 1] if place.line <= len(self.lines) else ""
        found = Problem(self.file, place.line, place.column, message, line if len(line) <= LONGEST_EXCERPT else "")
        if found not in self.problems:
            self.problems.append(found)


def read(path: Path, shown: str, problems: list[Problem]) -> tuple[Document, Node | None]:
    """The file's tree, or None after its problems were reported.

    Raises:
        CatalogError: the file cannot be opened.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CatalogError(f"{shown} cannot be read: {error.strerror or error}.") from error
    return parse(content, shown, problems, path.parent)


def parse(content: bytes, shown: str, problems: list[Problem], folder: Path | None = None) -> tuple[Document, Node | None]:
    """Like `read`, of a file's bytes."""
    if len(content) > LARGEST_FILE:
        document = Document(shown, (), problems)
        document.report(Place(1, 1), f"The file has {len(content):,} bytes; at most {LARGEST_FILE:,} are read. Is it the right file?")
        return document, None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", errors="replace")
        document = Document(shown, (), problems)
        document.report(_end(before), f"Byte 0x{content[error.start]:02x} is not UTF-8. Save the file with the encoding UTF-8.")
        return document, None
    document = Document(shown, tuple(text.splitlines()), problems, folder)
    return document, _Reading(document).tree(text)


def _end(text: str) -> Place:
    """The place right after `text`."""
    lines = text.splitlines() or [""]
    return Place(len(lines), len(lines[-1]) + 1) if not text.endswith("\n") else Place(len(lines) + 1, 1)


# YAML 1.1 reads `no` as false, `1:30` as 90 and `1e-3` as text; these are the rules of YAML 1.2.
_RESOLVERS: tuple[tuple[str, str, str], ...] = (
    ("null", r"^(?:~|null|Null|NULL|)$", "~nN\0"),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
)


def _resolvers() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    table: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for name, pattern, starts in _RESOLVERS:
        for start in starts:
            table.setdefault("" if start == "\0" else start, []).append((_TAG + name, re.compile(pattern)))
    return table


class _Loader(yaml.SafeLoader):
    """PyYAML's composer with the scalars of YAML 1.2 and a limit on nesting; its constructors are never called."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.yaml_implicit_resolvers = _resolvers()
        self.depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """One node and what is in it."""
        self.depth += 1
        try:
            if self.depth > DEEPEST:
                mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # the stubs leave it untyped
                raise yaml.MarkedYAMLError(problem=f"values are nested deeper than {DEEPEST} levels", problem_mark=mark)
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


class _Reading:
    """One pass over a file: PyYAML's nodes to ours."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.nodes = 0
        self.open: set[int] = set()

    def tree(self, text: str) -> Node | None:
        """The root, or None after its problem was reported."""
        try:
            root = yaml.compose(text, Loader=_Loader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self.document.report(Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1), _syntax(error))
            return None
        except yaml.reader.ReaderError as error:
            place = _end(text[: error.position])
            self.document.report(place, f"Character U+{int(error.character):04X} may not stand in a YAML file. Remove it.")
            return None
        if root is None:
            self.document.report(Place(1, 1), "The file is empty.")
            return None
        node = self.node(root)
        if self.nodes > MOST_NODES:
            # Whatever else was found is a consequence of stopping half-way.
            many = f"The file stands for more than {MOST_NODES:,} values once its aliases are followed. Write it without aliases."
            self.document.report(_place(root), many)
            return None
        return node

    def node(self, raw: yaml.Node) -> Node:
        """A node of ours for one of PyYAML's, its problems reported."""
        self.nodes += 1
        place = _place(raw)
        if self.nodes > MOST_NODES:
            return Node(place, None, broken=True)
        if id(raw) in self.open:
            self.document.report(place, "This value contains itself through an alias. Write it without the alias.")
            return Node(place, None, broken=True)
        self.open.add(id(raw))
        try:
            return self.content(raw, place)
        finally:
            self.open.discard(id(raw))

    def content(self, raw: yaml.Node, place: Place) -> Node:
        """`node`, by kind."""
        kind = raw.tag.removeprefix(_TAG)
        if isinstance(raw, yaml.MappingNode) and kind == "map":
            return self.mapping(raw, place)
        if isinstance(raw, yaml.SequenceNode) and kind == "seq":
            return Node(place, tuple(self.node(item) for item in raw.value))
        if isinstance(raw, yaml.ScalarNode) and kind in ("null", "bool", "int", "float", "str"):
            return self.scalar(raw, kind, place)
        shown = f"!!{kind}" if raw.tag.startswith(_TAG) else raw.tag
        self.document.report(place, f"The tag {shown!r} is not allowed: a file holds plain values and never runs code. Remove the tag.")
        return Node(place, None, broken=True)

    def mapping(self, raw: yaml.MappingNode, place: Place) -> Node:
        """A mapping with text keys, each given once."""
        values: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        for key, value in raw.value:
            spot = _place(key)
            if not isinstance(key, yaml.ScalarNode):
                self.document.report(spot, "A key is text; found a list or mapping. Quote the key if it is meant as text.")
                continue
            name = str(key.value)
            if name == "<<":
                self.document.report(spot, "Merge keys ('<<') are not supported. Write the keys out.")
            elif name in keys:
                self.document.report(spot, f"The key {name!r} is given twice, first in line {keys[name].line}. Keep one.")
            else:
                keys[name] = spot
                values[name] = self.node(value)
        return Node(place, values, keys)

    def scalar(self, raw: yaml.ScalarNode, kind: str, place: Place) -> Node:
        """A number, a truth value, nothing or text."""
        text = str(raw.value)
        if kind == "str":
            return Node(place, text)
        if kind == "null":
            return Node(place, None)
        if kind == "bool" and text.lower() in ("true", "false"):
            return Node(place, text.lower() == "true")
        try:
            number: int | float = int(text) if kind == "int" else float(text)
        except ValueError:
            number = math.nan
        if abs(number) < LARGEST_NUMBER:
            return Node(place, number)
        shown = text if len(text) <= 40 else f"{text[:40]}..."
        self.document.report(place, f"{shown!r} is not a {'truth value (true or false)' if kind == 'bool' else 'number that can be used here'}.")
        return Node(place, None, broken=True)


def _place(raw: yaml.Node) -> Place:
    return Place(raw.start_mark.line + 1, raw.start_mark.column + 1)


def _syntax(error: yaml.MarkedYAMLError) -> str:
    parts = [str(part) for part in (error.context, error.problem) if part]
    text = ", ".join(parts) or "it breaks off"
    hint = ""
    if "\\t" in text:
        hint = " Indent with spaces, not tabs."
    elif "but got '['" in text or "but got ']'" in text:
        hint = ' Inside braces, quote text that holds brackets: "digits[test]".'
    return f"This is not valid YAML: {text}.{hint}"
