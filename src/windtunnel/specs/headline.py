"""Headlines: the one sentence that says by which number a benchmark is ranked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Literal, cast, get_args

from windtunnel.core.canonical import fraction_text
from windtunnel.core.configured import parse_fraction
from windtunnel.core.suite import Headline
from windtunnel.core.threat import Family, Threat
from windtunnel.errors import suggest
from windtunnel.specs.fields import describe
from windtunnel.specs.nodes import Document, Node

CLEAN = "clean"
FAMILIES = tuple(family for family in get_args(Family) if family != CLEAN)
"""Families that a headline can name, in the singular or the plural."""

EXAMPLES = '"worst-case accuracy of pgd at 8/255", "worst-case accuracy of attacks", "mean accuracy of corruptions", "clean accuracy"'

_SENTENCE = re.compile(r"(?P<how>worst-case|mean) accuracy(?: of (?P<what>.+))?")


def read_headline(document: Document, node: Node, threats: Mapping[str, Threat], *, complete: bool) -> Headline | None:
    """The headline that a node holds, or None after its problem was reported.

    Args:
        threats: the benchmark's threats by shown name.
        complete: whether all threats could be read; if not, one that is missing is no problem of the headline.
    """
    if not isinstance(node.value, str):
        document.report(node.place, f"A headline is a sentence; found {describe(node)}. Write it like {EXAMPLES}.")
        return None
    try:
        return parse_headline(node.value, threats)
    except ValueError as error:
        document.report(node.place, str(error))
    except LookupError as error:
        if complete:
            document.report(node.place, str(error))
    return None


def parse_headline(text: str, threats: Mapping[str, Threat]) -> Headline:
    """A headline read against the threats of its benchmark.

    Raises:
        ValueError: it is not a headline.
        LookupError: it names a threat or a level that the benchmark lacks.
    """
    words = " ".join(text.split())
    if words == "clean accuracy":
        return Headline("mean", CLEAN, None, words)
    match = _SENTENCE.fullmatch(words)
    if not match:
        raise ValueError(f"The headline {text!r} is not understood. Write it like {EXAMPLES}.")
    how = cast(Literal["worst-case", "mean"], match["how"])
    what = match["what"]
    if what is None:
        if not threats:
            raise LookupError('The benchmark has no threat to rank by. Add one, or write "clean accuracy".')
        return Headline(how, None, None, words)
    name = _name(what, threats)
    if name is not None:
        return Headline(how, name, None, words)
    # A shown name may itself hold " at ", so the split is at the last one, and only if the whole is no name.
    head, _, tail = what.rpartition(" at ")
    name = _name(head, threats)
    if name is None:
        families = {f"{threat.family}s" for threat in threats.values()}
        raise LookupError(f"The headline names {head or what!r}, which the benchmark lacks. {suggest(head or what, {*threats, *families})}")
    level = parse_fraction(tail)
    _check_level(name, level, threats)
    return Headline(how, name, level, words)


def _name(what: str, threats: Mapping[str, Threat]) -> str | None:
    """The threat or family that a word means; a threat's own name goes first."""
    if what in threats:
        return what
    family = what.removesuffix("s")
    return family if family in FAMILIES and any(threat.family == family for threat in threats.values()) else None


def _check_level(name: str, level: Fraction, threats: Mapping[str, Threat]) -> None:
    """Refuse a level that not every threat that is meant has: a worst case over some of them would be another number."""
    chosen = [name] if name in threats else [key for key, threat in threats.items() if threat.family == name]
    for key in chosen:
        if level not in threats[key].levels:
            levels = ", ".join(fraction_text(each) for each in threats[key].levels)
            raise LookupError(f"The headline is at {fraction_text(level)}, but {key!r} has the levels {levels}.")
