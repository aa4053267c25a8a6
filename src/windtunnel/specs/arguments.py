"""Arguments of a recipe, threat, data source or model: checked by the class itself, its complaints led back to the file."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from windtunnel.core import canonical
from windtunnel.core.configured import Configured
from windtunnel.errors import BudgetError, WindtunnelError, suggest
from windtunnel.specs.fields import describe
from windtunnel.specs.nodes import Document, Node, Place

C = TypeVar("C", bound=Configured)

_WORDINGS = {
    "int_parsing": "expected a whole number",
    "int_type": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_parsing": "expected a number",
    "float_type": "expected a number",
    "bool_parsing": "expected true or false",
    "bool_type": "expected true or false",
    "string_type": "expected text",
    "tuple_type": "expected a list",
    "list_type": "expected a list",
}
"""What pydantic's kinds of errors are called in a file; other kinds keep pydantic's words."""


@dataclasses.dataclass(frozen=True)
class Arguments:
    """The arguments written in a file for one thing.

    Args:
        document: takes the problems.
        name: what takes the arguments, as the user wrote it ("pgd").
        place: where a missing argument is reported.
        nodes: the arguments.
        keys: the place of each argument's key.
    """

    document: Document
    name: str
    place: Place
    nodes: Mapping[str, Node]
    keys: Mapping[str, Place]

    def build(self, kind: type[C], make: Callable[..., C] | None = None, given: Mapping[str, Any] | None = None) -> C | None:
        """An instance, or None after everything wrong with the arguments was reported.

        Args:
            kind: the class, for its argument names.
            make: takes the plain arguments; the class itself if left out.
            given: what some arguments stand for, where that is known already.
        """
        if any(node.broken for node in self.nodes.values()) or not self._no_truth_values(kind):
            return None
        plain = {**{key: node.plain() for key, node in self.nodes.items()}, **(given or {})}
        made, bad = self._attempt(kind, make or kind, plain)
        if bad:
            # A check over several arguments runs only once each is right by itself; try it on those that are.
            self._attempt(kind, make or kind, {key: value for key, value in plain.items() if key not in bad}, retry=True)
        return None if made is None or not self._keyable(made) else made

    def _attempt(self, kind: type[C], make: Callable[..., C], plain: Mapping[str, Any], *, retry: bool = False) -> tuple[C | None, set[str]]:
        try:
            return make(**plain), set()
        except ValidationError as error:
            details = error.errors(include_url=False)
            bad = {str(detail["loc"][0]) for detail in details if detail["loc"]}
            # On a second attempt the arguments left out are missing on purpose.
            for detail in details if not retry else [detail for detail in details if not detail["loc"]]:
                self._report(kind, detail)
            return None, bad & set(plain)
        except (WindtunnelError, ValueError, TypeError, OverflowError) as error:
            self.document.report(self._culprit(str(error), error), f"{self.name}: {error}")
            return None, set()

    def _report(self, kind: type[Configured], detail: ErrorDetails) -> None:
        loc, found = detail["loc"], detail["type"]
        name = str(loc[0]) if loc else ""
        if found in ("missing", "missing_argument", "missing_keyword_only_argument"):
            self.document.report(self.place, f"{self.name} needs the argument {name!r}.")
        elif found == "unexpected_keyword_argument":
            hint = suggest(name, argument_names(kind))
            self.document.report(self.keys.get(name, self.place), f"{self.name} has no argument {name!r}. {hint}")
        elif not loc:
            message = _words(detail)
            self.document.report(self._culprit(message, None), f"{self.name}: {message}")
        else:
            node = self._follow(loc)
            place, value = (node.place, f"; found {describe(node)}") if node else (self.place, "")
            self.document.report(place, f"argument {name!r} of {self.name}: {_words(detail)}{value}.")

    def _follow(self, loc: tuple[int | str, ...]) -> Node | None:
        """The node that a path of keys and indices leads to, as far as the file goes along."""
        node = self.nodes.get(str(loc[0]))
        for step in loc[1:]:
            if node is None:
                return None
            if isinstance(node.value, tuple) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
            elif isinstance(node.value, Mapping) and step in node.value:
                node = node.value[str(step)]
            else:
                break
        return node

    def _culprit(self, message: str, error: Exception | None) -> Place:
        """The argument that a complaint about the whole is about: the one it names; for a budget, the radius."""
        named = [key for key in self.nodes if re.search(rf"\b{re.escape(key)}\b", message)]
        if not named and isinstance(error, BudgetError) and "eps" in self.nodes:
            named = ["eps"]
        return self.nodes[named[0]].place if len(named) == 1 else self.place

    def _no_truth_values(self, kind: type[Configured]) -> bool:
        """Refuse `true` for a number, which pydantic would read as 1."""
        fields = getattr(kind, "__pydantic_fields__", {})
        fine = True
        for key, node in self.nodes.items():
            if isinstance(node.value, bool) and key in fields and _is_number(fields[key].annotation):
                self.document.report(node.place, f"argument {key!r} of {self.name}: expected a number; found {describe(node)}.")
                fine = False
        return fine

    def _keyable(self, made: Configured) -> bool:
        """Whether every argument can enter a key; a NaN that slipped through as text cannot."""
        for name in argument_names(type(made)):
            try:
                canonical.dumps(getattr(made, name))
            except (TypeError, ValueError) as error:
                place = self.nodes[name].place if name in self.nodes else self.place
                self.document.report(place, f"argument {name!r} of {self.name}: {error}.")
                return False
        return True


def argument_names(kind: type[Configured]) -> tuple[str, ...]:
    """Names of the arguments that a class takes."""
    return tuple(field.name for field in dataclasses.fields(kind) if field.init) if dataclasses.is_dataclass(kind) else ()


def _is_number(annotation: Any) -> bool:
    options = _options(annotation)
    return (int in options or float in options) and bool not in options


def _options(annotation: Any) -> list[Any]:
    """The types that a union or an annotated type comes down to; constraints come along and do no harm."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType, typing.Annotated):
        return [option for each in typing.get_args(annotation) for option in _options(each)]
    return [annotation]


def _words(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    if detail["type"] == "value_error" and "error" in context:
        return str(context["error"]).rstrip(".")
    if detail["type"] == "literal_error":
        return f"expected {context['expected']}"
    return _WORDINGS.get(detail["type"]) or detail["msg"][:1].lower() + detail["msg"][1:]
