"""The keys of one mapping of a file: each taken once, checked for its type, and whatever is left over reported."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Final

from windtunnel.errors import suggest
from windtunnel.specs.nodes import Document, Node

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""Names of suites, benchmarks and runners become names of files and folders."""


class Fields:
    """The keys of one mapping.

    A method that takes a key answers None after it reported a problem with it.

    Args:
        document: takes the problems.
        node: the mapping; anything else is reported.
        where: what the mapping is, for messages ("a suite").
        known: all keys it may have; others are reported at once.
    """

    def __init__(self, document: Document, node: Node, where: str, known: Iterable[str]) -> None:
        self.document, self.node, self.where = document, node, where
        self.known: Final = tuple(known)
        self.entries: Mapping[str, Node] = {}
        self.misspelt: set[str] = set()
        if isinstance(node.value, Mapping):
            self.entries = node.value
            for key in self.entries:
                if key not in self.known:
                    document.report(node.keys[key], f"{where} has no key {key!r}. {suggest(key, self.known)}")
                    self.misspelt.update(difflib.get_close_matches(key, self.known, n=1, cutoff=0.5))
        elif not node.broken:
            document.report(node.place, f"{where} is a mapping of keys to values; found {describe(node)}.")

    @property
    def usable(self) -> bool:
        """Whether it is a mapping at all."""
        return isinstance(self.node.value, Mapping)

    def __contains__(self, key: str) -> bool:
        return key in self.entries

    def node_of(self, key: str) -> Node | None:
        """The value of a key that must be there."""
        if key in self.entries:
            found = self.entries[key]
            return None if found.broken else found
        # A key that is there in another spelling is one problem, not two.
        if self.usable and key not in self.misspelt:
            self.document.report(self.node.place, f"{self.where} lacks the key {key!r}.")
        return None

    def wrong(self, key: str, expected: str) -> None:
        """Report a value that is not what was expected."""
        node = self.entries[key]
        self.document.report(node.place, f"{key!r} must be {expected}; found {describe(node)}.")

    def text(self, key: str) -> str | None:
        """Text that must be there and is not empty."""
        node = self.node_of(key)
        if node is None:
            return None
        if isinstance(node.value, str) and node.value.strip():
            return node.value
        quote = f' Quote it: "{node.value}".' if isinstance(node.value, bool | int | float) else ""
        self.document.report(node.place, f"{key!r} must be text; found {describe(node)}.{quote}")
        return None

    def file_name(self, key: str) -> str | None:
        """Text that can also be the name of a file."""
        name = self.text(key)
        if name is None or SAFE_NAME.fullmatch(name):
            return name
        self.document.report(
            self.entries[key].place,
            f"{key!r} becomes the name of a file: up to 100 letters, digits, '.', '_' and '-', the first a letter or digit; found {name!r}.",
        )
        return None

    def integer(self, key: str, *, low: int, default: int | None = None, required: bool = False) -> int | None:
        """A whole number of at least `low`; `default` if left out. Where that is None, null says so, too."""
        if key not in self.entries and not required:
            return default
        node = self.node_of(key)
        if node is None or (node.value is None and default is None and not required):
            return default
        if isinstance(node.value, int) and not isinstance(node.value, bool) and node.value >= low:
            return node.value
        self.wrong(key, f"a whole number of at least {low}")
        return default

    def positive(self, key: str) -> float | None:
        """A number above 0; None if left out or null."""
        node = self.node_of(key) if key in self.entries else None
        if node is None or node.value is None:
            return None
        if isinstance(node.value, int | float) and not isinstance(node.value, bool) and node.value > 0:
            return float(node.value)
        self.wrong(key, "a number above 0")
        return None

    def choice(self, key: str, choices: tuple[str, ...], default: str) -> str:
        """One of a few words; `default` if left out."""
        node = self.node_of(key) if key in self.entries else None
        if node is None or node.value in choices:
            return default if node is None else str(node.value)
        self.wrong(key, f"one of {', '.join(choices)}")
        return default

    def items(self, key: str, what: str, *, empty: bool = False) -> tuple[Node, ...]:
        """The values of a list that must be there.

        Args:
            what: what the list holds, for messages ("recipes").
            empty: whether it may be empty.
        """
        node = self.node_of(key)
        if node is None:
            return ()
        if not isinstance(node.value, tuple):
            self.document.report(
                node.place, f"{key!r} must be a list of {what}; found {describe(node)}. Write it as [...] or with a dash before each."
            )
            return ()
        if not node.value and not empty:
            self.document.report(node.place, f"{key!r} is an empty list; give at least one of the {what}.")
        return tuple(item for item in node.value if not item.broken)


def describe(node: Node) -> str:
    """What a value is, for messages."""
    value = node.value
    if value is None:
        return "nothing"
    if isinstance(value, tuple):
        return "a list" if value else "an empty list"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def shown_name(document: Document, node: Node) -> str | None:
    """A name under which something is shown: one line of text.

    Whatever shows it escapes it; line breaks and control characters would still tear tables apart.
    """
    value = node.value
    if node.broken:
        return None
    if isinstance(value, str) and value.strip() and len(value) <= 300 and value.isprintable():
        return value
    document.report(node.place, f"A shown name is one line of text of up to 300 characters; found {describe(node)}.")
    return None
