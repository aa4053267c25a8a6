"""Attempt: how an attack on one sample went, as the attack itself tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["skipped", "failed", "succeeded", "out of budget", "unfinished"]
"""Skipped: wrong without an attack. Unfinished: the attack crashed or took too long, so that nothing is known of the sample."""


@dataclass(frozen=True)
class Attempt:
    """One attack on one sample.

    Args:
        status: how it ended.
        queries: texts it wanted to know the answer to, as its authors count them; the victim need not have been asked for each.
        reason: of an unfinished one.
    """

    status: Status
    queries: int = 0
    reason: str = ""
