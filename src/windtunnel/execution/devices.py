"""Devices: what the workers of this machine compute on. Imports torch only where an accelerator may be."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from windtunnel.core.runner import Runner


@dataclass(frozen=True)
class Devices:
    """What there is for cells to be computed on.

    Args:
        kind: "cpu", "cuda" or "mps".
        count: of accelerators; on a CPU, of cores.
    """

    kind: str
    count: int

    @classmethod
    def of(cls, wanted: str) -> Devices:
        """Those that a runner means. A device that is wanted and not there is left to a worker to miss."""
        if wanted != "cpu" and (sys.platform == "darwin" or shutil.which("nvidia-smi") or Path("/proc/driver/nvidia").is_dir()):
            import torch

            if wanted in ("auto", "cuda") and torch.cuda.is_available():
                return cls("cuda", torch.cuda.device_count())
            if wanted in ("auto", "mps") and torch.backends.mps.is_available():
                return cls("mps", 1)
        return cls("cpu" if wanted == "auto" else wanted, os.cpu_count() or 1 if wanted in ("auto", "cpu") else 1)

    def workers(self, runner: Runner, threads: int) -> int:
        """How many there are: as the runner says, else one for each accelerator, or as many as the cores suffice for."""
        return runner.workers or (max(1, self.count // threads) if self.kind == "cpu" else self.count)

    def of_worker(self, number: int) -> str:
        """The device of a worker, by its number: accelerators in turn."""
        return f"cuda:{number % self.count}" if self.kind == "cuda" and self.count > 1 else self.kind
