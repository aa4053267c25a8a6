"""Attempt: how an attack on one sample went, as the attack itself tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from windtunnel.core.flag import Flag
from windtunnel.core.texts import Texts

Status = Literal["skipped", "failed", "succeeded", "out of budget", "unfinished"]
"""Skipped: wrong without an attack. Unfinished: the attack crashed or took too long, so that nothing is known of the sample."""


@dataclass(frozen=True)
class Attempt:
    """One attack on one sample.

    Args:
        status: how it ended.
        queries: texts it wanted to know the answer to, as its authors count them; the victim need not have been asked for each.
        reason: of an unfinished one.
        similarity: of the perturbed text to the original, where something measured it.
    """

    status: Status
    queries: int = 0
    reason: str = ""
    similarity: float | None = None


@dataclass(frozen=True)
class Attempted:
    """Perturbed texts of an attack that tells how each attempt went.

    Args:
        inputs: one for each sample.
        attempts: one for each sample.
    """

    inputs: Texts
    attempts: tuple[Attempt, ...]


Attempts = tuple[tuple[Attempt, ...], ...]
"""For each level, one for each sample."""


def settled(told: Mapping[tuple[int, int], Attempt], right: npt.NDArray[np.bool_], standing: npt.NDArray[np.bool_]) -> Attempts:
    """How the attack went at each level, where the victim's own verdict goes before what the attack says.

    Args:
        told: what the attack said, by level and sample; on samples that fell at a smaller level it is silent, and what it said there stands.
        right: whether the clean sample is classified rightly, (n,).
        standing: whether the perturbed one is, (level, n).
    """
    last: dict[int, Attempt] = {}
    found = []
    for level, verdicts in enumerate(standing):
        last |= {row: attempt for (at, row), attempt in told.items() if at == level}
        found.append(tuple(_settled(last.get(row), bool(right[row]), bool(stands)) for row, stands in enumerate(verdicts)))
    return tuple(found)


def _settled(told: Attempt | None, right: bool, stands: bool) -> Attempt:
    told = Attempt("failed") if told is None else told
    if not right:
        return replace(told, status="skipped")
    if not stands:
        return replace(told, status="succeeded")
    return replace(told, status="failed") if told.status == "succeeded" else told


def unfinished(attempts: Attempts) -> tuple[Flag, ...]:
    """A flag where an attack crashed or took too long: such a sample counts as standing, which nobody has shown."""
    lost = [attempt for attempt in attempts[-1] if attempt.status == "unfinished"] if attempts else []
    if not lost:
        return ()
    share = len(lost) / len(attempts[-1])
    text = f"The attack did not finish on {len(lost)} of {len(attempts[-1])} samples ({lost[0].reason}). They count as standing, so that accuracy is "
    return (Flag("unfinished-attacks", f"{text}overstated by up to {share:.1%}."),)
