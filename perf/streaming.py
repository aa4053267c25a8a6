"""Peak memory of a corruption streamed over many images of 224 pixels, each count in a process of its own."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from perf.report import Figure, Section

ROOT = Path(__file__).resolve().parents[1]
COUNTS = (2_000, 20_000)
AT_MOST = 50.0

TEXT = """\
Images of 224 x 224 pixels, decoded one micro-batch at a time as from files (here cut out of two photographs), go through the corruption
`brightness` at severity 3 and windtunnel/micro-resnet as an evaluation cell does it. Each count runs in a process of its own, whose largest
resident set the system reports: {peaks}.
"""


@dataclass(frozen=True)
class _Crops:
    """An image store that makes each image when it is asked for."""

    def __getitem__(self, indices: np.ndarray) -> np.ndarray:
        from perf.corruptions import SIDE, photographs

        found = []
        for row in indices.tolist():
            whole = photographs()[row % 2]
            top, left = (row * 37) % (whole.shape[0] - SIDE), (row * 101) % (whole.shape[1] - SIDE)
            found.append(whole[top : top + SIDE, left : left + SIDE])
        return np.stack(found)


def measure(counts: tuple[int, int] = COUNTS) -> Section:
    """The peaks of two counts."""
    peaks = {count: peak(count) for count in counts}
    grown = peaks[counts[1]] - peaks[counts[0]]
    figure = Figure(
        f"streaming {counts[1]:,} images of 224 pixels: peak memory above that of {counts[0]:,}",
        f"within {AT_MOST:.0f} MB",
        f"{grown:+.0f} MB",
        grown <= AT_MOST,
    )
    return Section("streaming", (figure,), TEXT.format(peaks=", ".join(f"{value:.0f} MB for {count:,}" for count, value in peaks.items())))


def peak(count: int) -> float:
    """The largest resident set of a process that streams `count` images, in MB."""
    done = subprocess.run(
        [sys.executable, "-c", f"from perf.streaming import run; run({count})"], check=True, capture_output=True, text=True, cwd=ROOT
    )
    return float(done.stdout.split()[-1])


def run(count: int) -> None:
    """Stream, and print the peak."""
    import torch

    from windtunnel.core.batch import Batch
    from windtunnel.core.dataset import Dataset
    from windtunnel.core.network import Network
    from windtunnel.core.streaming import Piece, stream
    from windtunnel.core.threat import MICRO_BATCH
    from windtunnel.core.victim import Victim
    from windtunnel.model_names import source
    from windtunnel.threats.corruptions.colour import Brightness

    torch.set_num_threads(1)
    classes = ("one", "other")
    data = Dataset("crops[test]", classes, tuple(f"c{row}" for row in range(count)), np.arange(count, dtype=np.int64) % 2, _Crops())
    victim = Victim(Network(source("windtunnel/micro-resnet").load(), 2), classes=classes)

    def pieces() -> Iterator[Piece]:
        for start in range(0, count, MICRO_BATCH):
            batch: Batch = data.batch(range(start, min(start + MICRO_BATCH, count)))
            yield batch, {}

    outcome = stream(Brightness(severities=(3,)), victim, pieces(), 0)
    assert len(outcome.ids) == count
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
