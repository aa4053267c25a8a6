"""The main job as a user starts it: cold, with the memory of all its processes, and again with a warm store."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from perf.commands import SCRIPT, environment
from perf.processes import Memory, memory_of, tree
from perf.report import Figure, Section
from perf.timing import Times

SUITES = ("quickstart", "quickstart-text")
SAMPLE_SECONDS = 0.2
WARM_RUNS = 3
TOGETHER_SECONDS, WARM_SECONDS, PEAK_GB = 300.0, 3.0, 2.0
NOTHING = "Nothing to compute"

TEXT = """\
`windtunnel run` for {suites}, each with an empty store and an empty runs folder, from the start of the process to its exit: data and weights
looked at, every cell computed, the report written. Data that has to be downloaded was there. Memory is that of the whole tree of processes,
sampled every {sample} s: the proportional set size (PSS, from `smaps_rollup`; a page shared by n processes counts 1/n in each) summed over the
tree. The sum of resident set sizes, which counts shared pages once for each process, is given for comparison. A peak between two samples can be
missed; taking a sample costs milliseconds. Then the same command {warm} times with the store that it filled, checked to say "{nothing}": such a
run checks the digests of all stored entries and writes a new report.
"""


@dataclass(frozen=True)
class Watched:
    """A command that was run to its end.

    Args:
        seconds: wall time.
        peak: largest sums over its processes, each on its own.
        output: what it printed.
    """

    seconds: float
    peak: Memory
    output: str


def measure(suites: Sequence[str] = SUITES, warm_runs: int = WARM_RUNS) -> Section:
    """Cold time, peak memory, warm time."""
    figures, seconds = [], 0.0
    for suite in suites:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            cold = watch((str(SCRIPT), "run", suite, "--store", "store", "--runs", "runs"), folder)
            warm = [_again(suite, folder) for _ in range(warm_runs)]
        figures += _figures(suite, cold, Times(tuple(warm)))
        seconds += cold.seconds
    together = Figure("`make quickstart` after its setup: both", f"under {TOGETHER_SECONDS:.0f} s", f"{seconds:.0f} s", seconds < TOGETHER_SECONDS)
    named = " and ".join(f"`{suite}`" for suite in suites)
    text = TEXT.format(suites=named, sample=SAMPLE_SECONDS, warm=warm_runs, nothing=NOTHING)
    return Section("quickstart", (together, *figures), text)


def _again(suite: str, folder: Path) -> float:
    done = watch((str(SCRIPT), "run", suite, "--store", "store", "--runs", "runs"), folder, memory=False)
    if NOTHING not in done.output:
        raise RuntimeError(f"The warm run of {suite} computed something:\n{done.output}")
    return done.seconds


def watch(command: tuple[str, ...], folder: Path, *, memory: bool = True) -> Watched:
    """Run a command in `folder`, sampling the memory of its processes.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    peak = Memory(0, 0)
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output, subprocess.Popen(command, cwd=folder, env=environment(), stdout=output) as process:
        while memory and process.poll() is None:
            peak = peak.max(memory_of(tree(process.pid)))
            time.sleep(SAMPLE_SECONDS)
        code = process.wait()
        seconds = time.perf_counter() - started
        output.seek(0)
        said = output.read()
    if code:
        raise subprocess.CalledProcessError(code, command, said)
    return Watched(seconds, peak, said)


def _figures(suite: str, cold: Watched, warm: Times) -> list[Figure]:
    gigabytes, resident = cold.peak.proportional / 1e9, cold.peak.resident / 1e9
    return [
        Figure(f"`windtunnel run {suite}`, empty store", "", f"{cold.seconds:.0f} s", None),
        Figure(
            f"`windtunnel run {suite}`, peak memory of all processes",
            f"under {PEAK_GB:g} GB",
            f"{gigabytes:.2f} GB (sum of resident sets: {resident:.2f} GB)",
            gigabytes < PEAK_GB,
        ),
        Figure(f"`windtunnel run {suite}`, warm store", f"under {WARM_SECONDS:g} s", str(warm), warm.median < WARM_SECONDS),
    ]
