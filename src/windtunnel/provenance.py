"""Where a number came from: versions, machine, code revision."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

LIBRARIES = (
    "numpy",
    "scipy",
    "torch",
    "torchvision",
    "timm",
    "transformers",
    "torchattacks",
    "textattack",
    "nltk",
    "datasets",
    "scikit-learn",
    "mlxtend",
    "pillow",
    "opencv-python-headless",
    "av",
    "pandas",
    "pyarrow",
)


@dataclass(frozen=True)
class Provenance:
    """What computed a run.

    Args:
        windtunnel: version of this package.
        python: version of the interpreter.
        platform: operating system and architecture.
        processor: name of the processor, with the number of cores.
        libraries: installed versions of the libraries that may have computed something.
        git: revision of the working folder, with "+changes" if it was not clean; empty outside a checkout.
    """

    windtunnel: str
    python: str
    platform: str
    processor: str
    libraries: dict[str, str]
    git: str

    def as_dict(self) -> dict[str, object]:
        """Plain data for a manifest."""
        return asdict(self)


@cache
def version(library: str) -> str | None:
    """The installed version of a library, or None; nothing is imported."""
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def versions(libraries: Iterable[str]) -> dict[str, str]:
    """Installed versions of those of `libraries` that are installed, sorted by name."""
    found = {name: version(name) for name in sorted(set(libraries))}
    return {name: number for name, number in found.items() if number is not None}


def collect(folder: Path | None = None) -> Provenance:
    """The provenance of work done now, in `folder`."""
    return Provenance(
        windtunnel=version("windtunnel") or "unknown",
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        processor=f"{_processor()} ({os.cpu_count()} cores)",
        libraries=versions(LIBRARIES),
        git=_git(folder),
    )


def _processor() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _git(folder: Path | None) -> str:
    def ask(*arguments: str) -> str | None:
        try:
            done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=10)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    revision = ask("rev-parse", "HEAD")
    if not revision:
        return ""
    return f"{revision}+changes" if ask("status", "--porcelain") else revision
