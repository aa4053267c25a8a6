"""Names of models in suites: which family they belong to, and the source they stand for. Loads no network library."""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from windtunnel.builtins import MODELS
from windtunnel.errors import ModelError, UnknownNameError, suggest

if TYPE_CHECKING:
    from windtunnel.core.model import ModelSource

CHECKPOINTS = (".safetensors", ".pt", ".pth")
PATHS = ("./", "../", "/", "~", ".\\", "..\\")

# A bare "resnet18" must not be taken for a mistyped "micro-resnet" (ratio 0.6), while "micro-resnt" must (0.96).
NEAR = 0.75

_PYTHON = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")

# Families of which a bare name like "resnet18" may be meant; the first two have tens of names in common.
_OPEN = ("timm", "torchvision")


def resolve(text: str) -> tuple[str, str]:
    """The family of a model name, and the rest of it.

    "family/rest" with a family of MODELS; a path ("./", "../", "/", "~", or the ending of a checkpoint file) is `local`;
    "module:attribute" is `python`.

    Raises:
        UnknownNameError: none of these, or a name that a closed family does not have; the message suggests what may be meant.
    """
    family, slash, rest = text.partition("/")
    if slash and rest and family in MODELS:
        _check_closed(family, rest)
        return family, rest
    if text.startswith(PATHS) or text.endswith(CHECKPOINTS) or _DRIVE.match(text):
        return "local", text
    if _PYTHON.fullmatch(text):
        return "python", text
    raise UnknownNameError(f"Unknown model {text!r}. {_suggestion(text)}")


def source(text: str, arguments: Mapping[str, Any] | None = None) -> ModelSource:
    """The source that a model name with further arguments stands for; nothing is loaded.

    Raises:
        UnknownNameError: no such name.
        ModelError: arguments that are unknown, missing or of a wrong type; all of them at once.
    """
    family, rest = resolve(text)
    found = MODELS.load(family)
    given = dict(arguments or {})
    fields = [field.name for field in dataclasses.fields(found) if field.name != "name"]  # type: ignore[arg-type]  # concrete sources are dataclasses
    unknown = [key for key in given if key not in fields]
    if unknown:
        lines = " ".join(f"{key!r} is unknown. {suggest(key, fields)}" for key in unknown)
        raise ModelError(f"Arguments of {text}: {lines}")
    try:
        return found(name=rest, **given)  # type: ignore[call-arg]
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, item['loc']))}: {item['msg'].removeprefix('Value error, ')}" for item in error.errors()]
        raise ModelError(f"Arguments of {text}: {'; '.join(problems)}") from error


def _check_closed(family: str, rest: str) -> None:
    names = MODELS.load(family).names
    if names and rest not in names:
        raise UnknownNameError(f"Unknown model '{family}/{rest}'. {suggest(f'{family}/{rest}', [f'{family}/{name}' for name in names])}")


def _suggestion(text: str) -> str:
    forms = f'A model is named "family/name", by a path ("./my-model") or by "module:attribute". Families: {", ".join(MODELS)}.'
    family, slash, rest = text.partition("/")
    if slash and rest:
        near = difflib.get_close_matches(family, MODELS, n=1, cutoff=NEAR)
        meant = f"Did you mean '{near[0]}/{rest}'?" if near else f"On the Hugging Face hub it would be 'transformers/{text}'; on disk './{text}'."
        return f"{meant} {forms}"
    shipped = difflib.get_close_matches(text, MODELS.load("windtunnel").names, n=1, cutoff=NEAR)
    if shipped:
        return f"Did you mean 'windtunnel/{shipped[0]}'? {forms}"
    if re.fullmatch(r"[\w.-]+", text):
        return f"Did you mean {' or '.join(repr(f'{family}/{text}') for family in _OPEN)}? {forms}"
    return forms
