"""Tables: what the names in a file can stand for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from windtunnel import builtins
from windtunnel.core.condition import Condition
from windtunnel.core.dataset import DataSource
from windtunnel.core.metric import Metric
from windtunnel.core.model import ModelSource
from windtunnel.core.recipe import Recipe
from windtunnel.core.threat import Threat
from windtunnel.model_names import resolve
from windtunnel.registry import Registry
from windtunnel.sets import SETS


@dataclass(frozen=True)
class ModelName:
    """A model's name taken apart.

    Args:
        kind: the class of its family.
        rest: what that class takes as its `name`.
        local: whether that is a path.
    """

    kind: type[ModelSource]
    rest: str
    local: bool = False


def resolve_model(text: str) -> ModelName:
    """What the name of a model means to an installation.

    Raises:
        WindtunnelError: no such family or model, or it cannot be loaded.
    """
    family, rest = resolve(text)
    return ModelName(builtins.MODELS.load(family), rest, local=family == "local")


@dataclass(frozen=True)
class Tables:
    """The name tables that files are read against; the built-in ones unless others are given.

    Args:
        sets: what `{use: corruptions, set: ...}` and the like stand for, by the word and the set's name.
        model: takes a model's name apart.
    """

    recipes: Registry[Recipe] = builtins.RECIPES
    conditions: Registry[Condition] = builtins.CONDITIONS
    threats: Registry[Threat] = builtins.THREATS
    datasets: Registry[DataSource] = builtins.DATASETS
    metrics: Registry[Metric] = builtins.METRICS
    sets: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=lambda: SETS)
    model: Callable[[str], ModelName] = resolve_model


BUILTIN: Final = Tables()
"""What an installation knows, third-party names included."""
