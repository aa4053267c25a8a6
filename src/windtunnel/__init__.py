"""windtunnel: which way of fine-tuning a pre-trained model leaves it most robust, and can you trust the number?

The public names are resolved on first use, so that importing the package loads no torch.
"""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from windtunnel.api import assert_robust, evaluate, finetune, load_data, make_recipe, run
    from windtunnel.core.batch import Batch
    from windtunnel.core.budget import Budget
    from windtunnel.core.estimate import Estimate
    from windtunnel.core.outcome import Outcome
    from windtunnel.core.recipe import Recipe
    from windtunnel.core.texts import Texts
    from windtunnel.core.threat import Threat
    from windtunnel.core.victim import Victim
    from windtunnel.reporting.report import Report
    from windtunnel.threats.corrupt import corrupt
    from windtunnel.threats.text.perturb import perturb_text

_WHERE = MappingProxyType(
    {
        "assert_robust": "windtunnel.api",
        "evaluate": "windtunnel.api",
        "finetune": "windtunnel.api",
        "load_data": "windtunnel.api",
        "make_recipe": "windtunnel.api",
        "run": "windtunnel.api",
        "corrupt": "windtunnel.threats.corrupt",
        "perturb_text": "windtunnel.threats.text.perturb",
        "Batch": "windtunnel.core.batch",
        "Budget": "windtunnel.core.budget",
        "Estimate": "windtunnel.core.estimate",
        "Outcome": "windtunnel.core.outcome",
        "Recipe": "windtunnel.core.recipe",
        "Report": "windtunnel.reporting.report",
        "Texts": "windtunnel.core.texts",
        "Threat": "windtunnel.core.threat",
        "Victim": "windtunnel.core.victim",
    }
)

__all__ = [
    "Batch",
    "Budget",
    "Estimate",
    "Outcome",
    "Recipe",
    "Report",
    "Texts",
    "Threat",
    "Victim",
    "assert_robust",
    "corrupt",
    "evaluate",
    "finetune",
    "load_data",
    "make_recipe",
    "perturb_text",
    "run",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'windtunnel' has no attribute {name!r}")
    return getattr(importlib.import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
