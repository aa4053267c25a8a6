"""Stamps of files: a cheap sign that something on disk changed, without reading it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def file_stamps(paths: Iterable[Path]) -> dict[str, str]:
    """Size and time of change of each file, by path; a missing file is noted as such."""
    return {str(path): _stamp(path) for path in sorted(paths)}


def folder_stamps(folder: Path, pattern: str = "*") -> dict[str, str]:
    """The same for the files directly in a folder."""
    return file_stamps(path for path in folder.glob(pattern) if path.is_file())


def _stamp(path: Path) -> str:
    try:
        found = path.stat()
    except FileNotFoundError:
        return "missing"
    return f"{found.st_size}:{found.st_mtime_ns}"
