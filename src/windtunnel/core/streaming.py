"""Streaming: a blind threat over any number of samples, piece by piece, in constant memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from windtunnel.core.batch import Batch
from windtunnel.core.evaluation import EXAMPLES
from windtunnel.core.outcome import Cost, Example, Outcome
from windtunnel.core.suspicion import chance_level
from windtunnel.core.threat import Threat
from windtunnel.core.victim import Victim
from windtunnel.errors import DataError

Piece = tuple[Batch[Any], Mapping[Fraction, Any]]
"""Some samples, and copies of them perturbed earlier, by level."""


def stream(threat: Threat[Any], victim: Victim, pieces: Iterable[Piece], seed: int) -> Outcome:
    """What `threat(victim, all samples)` would give, while only one piece is in memory.

    Args:
        threat: a blind one; an attack looks at all its samples.
        pieces: the samples in order, MICRO_BATCH of them at once.
    Raises:
        DataError: there are no pieces.
    """
    assert not threat.adaptive, "an attack is audited over all its samples"
    parts: list[Outcome] = []
    shown: list[Example] = []
    for batch, copies in pieces:
        part = threat(victim, batch, seed=seed, copies=copies)
        shown = sorted([*shown, *part.examples], key=_standing)[:EXAMPLES]
        parts.append(replace(part, examples=()))  # pictures of every piece would add up
    if not parts:
        raise DataError("There are no samples; there is nothing to evaluate.")
    return replace(_joined(threat, parts, len(victim.classes)), examples=tuple(shown))


def _joined(threat: Threat[Any], parts: Sequence[Outcome], classes: int) -> Outcome:
    """The outcomes of consecutive samples as one, without examples."""
    labels, clean = (np.concatenate([getattr(part, name) for part in parts]) for name in ("labels", "clean_predicted"))
    flags = {flag.name: flag for part in reversed(parts) for flag in reversed(part.flags) if flag.name != "chance-level"}
    overall = chance_level(labels, clean, classes) if threat.family in ("clean", "shift") else None
    grouped = [part.groups for part in parts if part.groups is not None]
    return replace(
        parts[0],
        ids=tuple(name for part in parts for name in part.ids),
        labels=labels,
        clean_predicted=clean,
        predicted=np.concatenate([part.predicted for part in parts], axis=1),
        confidence=np.concatenate([part.confidence for part in parts], axis=1),
        distance=np.concatenate([part.distance for part in parts], axis=1),
        cost=Cost(*(sum(getattr(part.cost, name) for part in parts) for name in ("forward", "backward", "queries", "seconds"))),
        flags=(*reversed(flags.values()), *([overall] if overall else [])),
        groups=np.concatenate(grouped) if grouped else None,
    )


def _standing(example: Example) -> bool:
    """False for what the threat broke, which is shown first."""
    return not (example.before == example.label != example.after)
