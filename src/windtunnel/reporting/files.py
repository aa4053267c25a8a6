"""Files written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from windtunnel.errors import RecordError


def write(path: Path, content: str) -> Path:
    """Write to a temporary sibling, sync and rename.

    Raises:
        RecordError: the file cannot be written; whatever was there before is left as it was.
    """
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise RecordError(f"{path} cannot be written: {error.strerror or error}. Free some space or choose another folder.") from error
    return path
