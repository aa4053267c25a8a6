"""Wall time of the commands that compute nothing, as whole processes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from perf.report import Figure, Section
from perf.timing import Job, Times, interleave

ROUNDS = 7
BASELINE = "`python -c pass`"
SCRIPT = Path(sys.executable).with_name("windtunnel")

# Shown as, the command, and its target in seconds. STORE stands for a folder that knows the quickstart's data and weights.
STORE = "STORE"
COMMANDS = (
    (BASELINE, (sys.executable, "-c", "pass"), None),
    ("`windtunnel --help`", (str(SCRIPT), "--help"), 0.4),
    ("`windtunnel list`", (str(SCRIPT), "list"), 0.4),
    ("`windtunnel plan quickstart`, nothing known yet", (str(SCRIPT), "plan", "quickstart", "--store", "empty"), 1.0),
    ("`windtunnel plan quickstart`, every key computed", (str(SCRIPT), "plan", "quickstart", "--store", STORE), 1.0),
)

TEXT = """\
Whole processes from start to exit, output thrown away, {rounds} interleaved rounds after one that is not counted (so byte code is
compiled and files are cached, as for anybody who uses a command twice). {baseline} is what starting the interpreter costs. `plan` is measured with
an empty store, and with one in which `windtunnel fetch quickstart` left the fingerprints of data and weights, so that it draws every subset and
computes the key of every cell.
"""


def measure(rounds: int = ROUNDS) -> Section:
    """One figure per command."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        start((str(SCRIPT), "fetch", "quickstart", "--store", STORE), folder)
        found = interleave([_job(name, command, folder) for name, command, _ in COMMANDS], rounds)
    figures = [_figure(name, found[name], target) for name, _, target in COMMANDS]
    return Section("commands", tuple(figures), TEXT.format(rounds=rounds, baseline=BASELINE))


def start(command: tuple[str, ...], folder: Path) -> None:
    """Run a command to its end in `folder`.

    Raises:
        subprocess.CalledProcessError: it failed; its time would mean nothing.
    """
    subprocess.run(command, cwd=folder, env=environment(), stdout=subprocess.DEVNULL, check=True)


def environment() -> dict[str, str]:
    """The environment of a user who set nothing: byte code is kept, catalogue and store are the usual ones."""
    ours = ("PYTHONDONTWRITEBYTECODE", "WINDTUNNEL_CATALOG", "WINDTUNNEL_STORE")
    return {name: value for name, value in os.environ.items() if name not in ours}


def _job(name: str, command: tuple[str, ...], folder: Path) -> Job:
    return Job(name, lambda _: start(command, folder))


def _figure(name: str, times: Times, target: float | None) -> Figure:
    wanted = "" if target is None else f"under {target:g} s"
    return Figure(name, wanted, str(times), None if target is None else times.median < target)
