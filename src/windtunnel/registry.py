"""Registry: a frozen table of names, each loaded on first use and checked to be what the table says."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import EntryPoints, entry_points
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from windtunnel.errors import UnknownNameError, WindtunnelError, suggest

T = TypeVar("T")


class Registry(Generic[T]):
    """Names of one noun, with third-party names joined from installed entry points.

    Args:
        noun: the word used in messages, singular ("threat").
        base: "module:attribute" of the class that every entry must be a subclass of; imported on first use.
        table: name -> "module:attribute"; nothing in it is imported before it is asked for.
    Third parties add names through the entry-point group `windtunnel.<plural>`; they cannot shadow a built-in name.
    """

    def __init__(self, noun: str, base: str, table: Mapping[str, str]) -> None:
        self.noun = noun
        self._base = base
        self._builtin: Mapping[str, str] = MappingProxyType(dict(table))

    @property
    def plural(self) -> str:
        """The word for several of them."""
        return f"{self.noun}es" if self.noun.endswith("s") else f"{self.noun}s"

    @property
    def group(self) -> str:
        """The entry-point group in which third parties register names."""
        return f"windtunnel.{self.plural}"

    def targets(self) -> Mapping[str, str]:
        """Every name with the "module:attribute" it stands for, built-in names winning."""
        foreign = {entry.name: entry.value for entry in _installed(tuple(sys.path)).select(group=self.group)}
        return {**foreign, **self._builtin}

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.targets()))

    def __contains__(self, name: object) -> bool:
        return name in self._builtin or name in self.targets()

    def load(self, name: str) -> type[T]:
        """The class registered under `name`.

        Raises:
            UnknownNameError: no such name; the message suggests the nearest.
            WindtunnelError: the entry cannot be imported or is not a subclass of the base.
        """
        if name in self._builtin:
            return self._resolve(name, self._builtin[name])
        targets = self.targets()
        if name not in targets:
            raise UnknownNameError(f"Unknown {self.noun} {name!r}. {suggest(name, targets)}")
        return self._resolve(name, targets[name])

    def _resolve(self, name: str, target: str) -> type[T]:
        try:
            found = _attribute(target)
        except (ImportError, AttributeError) as error:
            raise WindtunnelError(f"The {self.noun} {name!r} is registered as {target!r}, which cannot be loaded: {error}") from error
        if not (isinstance(found, type) and issubclass(found, self.base)):
            raise WindtunnelError(f"The {self.noun} {name!r} is registered as {target!r}, which is not a {self.base.__name__}.")
        return found

    @property
    def base(self) -> type[T]:
        """The class that every entry is a subclass of."""
        found: type[T] = _attribute(self._base)
        return found


@cache
def _installed(path: tuple[str, ...]) -> EntryPoints:
    """All entry points of a search path; reading them takes tens of milliseconds, and a suite asks tens of times."""
    everything: Any = entry_points()  # before Python 3.12 another class with the same `select`
    found: EntryPoints = everything
    return found


def _attribute(target: str) -> Any:
    module, _, attribute = target.partition(":")
    return getattr(importlib.import_module(module), attribute)
