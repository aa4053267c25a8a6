"""Runner: where and how cells run. Nothing in it may change a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Runner:
    """An execution profile.

    Args:
        name: e.g. "laptop".
        engine: "local": worker processes on this machine.
        workers: number of processes; 0 for one for each accelerator, or, without any, as many as the cores suffice for.
        device: "auto" takes accelerators if there are any; with several GPUs, each worker has its own, in turn.
        cell_minutes: a cell that takes longer is stopped and recorded as failed; None for no limit.
        memory_gb: a worker whose memory grows beyond this fails its cell; None for no limit.
    """

    name: str = "laptop"
    engine: Literal["local"] = "local"
    workers: int = 0
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    cell_minutes: float | None = None
    memory_gb: float | None = None
