"""Files under one root: paths that cannot leave it, and stamps that notice a change."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from windtunnel.errors import DataError


def existing(path: str, kind: str, remedy: str) -> Path:
    """`path` with "~" expanded.

    Raises:
        DataError: it does not exist.
    """
    place = Path(path).expanduser()
    if not place.exists():
        raise DataError(f"The {kind} {path!r} does not exist (looked at {place.absolute()}). {remedy}")
    return place


def inside(root: Path, path: Path) -> Path:
    """`path` itself, if everything it leads through stays below `root`.

    Raises:
        DataError: an absolute path elsewhere, "..", or a symbolic link out of `root`.
    """
    target = path.resolve()
    if not target.is_relative_to(root.resolve()):
        raise DataError(f"{path} leads out of its folder, to {target}; everything must lie below {root}. Copy the file into the folder.")
    return path


def relative_name(root: Path, path: Path) -> str:
    """`path` below `root` with forward slashes: the id of a sample on every system.

    Raises:
        DataError: a name that is not valid text.
    """
    name = path.relative_to(root).as_posix()
    try:
        name.encode()
    except UnicodeEncodeError:
        raise DataError(f"The name of {name!r} below {root} is not valid UTF-8; rename the file.") from None
    return name


def state(root: Path, paths: Iterable[Path]) -> list[str]:
    """Relative path, size and time of change of each file; "absent" for those that are not there."""
    lines = []
    for path in sorted(paths):
        name = path.relative_to(root).as_posix().encode(errors="backslashreplace").decode()
        try:
            found = path.stat()
        except OSError:
            lines.append(f"{name} absent")
        else:
            lines.append(f"{name} {found.st_size} {found.st_mtime_ns}")
    return lines


def tree_state(root: Path) -> list[str]:
    """`state` of every file below `root`, hidden ones left out; links to folders are not followed."""
    if root.is_file():
        return state(root.parent, [root])
    visible = (path for path in root.rglob("*") if not any(part.startswith(".") for part in path.relative_to(root).parts))
    return state(root, (path for path in visible if not path.is_dir())) if root.is_dir() else ["absent"]
