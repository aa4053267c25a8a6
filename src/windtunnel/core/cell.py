"""Cell: one unit of work, addressed by the digest of everything meant to change its number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from windtunnel.core import canonical

KEY_VERSION = 1
"""Raised when the meaning of keys changes; old entries are then never found again."""


SEARCH_VERSION = 2
"""Raised when attacks come to look at a victim in another way, e.g. in other batches, which moves its logits by rounding; in their keys only."""


@dataclass(frozen=True)
class Labels:
    """What a cell is called in this suite; no part of its key.

    Args:
        model, recipe: shown names.
        seed: training seed.
        benchmark, threat: shown names; empty for a fine-tuning cell.
        family: the threat's family; empty for a fine-tuning cell.
    """

    model: str
    recipe: str
    seed: int
    benchmark: str = ""
    threat: str = ""
    family: str = ""

    def __str__(self) -> str:
        parts = [self.model, self.recipe, f"seed {self.seed}", self.benchmark, self.threat]
        return " · ".join(part for part in parts if part)


@dataclass(frozen=True)
class Cell:
    """One unit of work.

    Args:
        kind: "finetune" makes a victim, "evaluate" puts one through a threat.
        labels: what it is called.
        content: everything meant to change its number, as plain data; None while data or weights are still unknown.
        passes: rough number of sample-passes, for estimates.
        needs: keys of the fine-tuning cells whose victims it takes: the one evaluated, then the surrogate if there is one; of a fine-tuning,
            those of its members.
    """

    kind: Literal["finetune", "evaluate"]
    labels: Labels
    content: Mapping[str, Any] | None
    passes: float
    needs: tuple[str, ...] = ()

    @cached_property
    def key(self) -> str:
        """sha256 of the canonical content, its address in the store; empty while the content is unknown."""
        if self.content is None:
            return ""
        return canonical.sha256({"key_version": KEY_VERSION, "kind": self.kind, **self.content})
