"""Partial: what an interrupted fine-tuning goes on from, one file in the store for each cell in flight."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from windtunnel.execution.store import Store, write_synced

EVERY = 60.0
"""Seconds of training that may be lost; keeping more often would cost more than it saves. Ours."""

_DIGEST = hashlib.sha256().digest_size


class Partial:
    """A file that is replaced as a whole, and carries the digest of its content.

    Args:
        store: where it lies, under `partial/`.
        key: of the cell.
        every: seconds between one time and the next.
    """

    def __init__(self, store: Store, key: str, every: float = EVERY) -> None:
        self.path: Path = store.root / "partial" / f"{key}.pt"
        self.every = every
        self._last = time.monotonic()

    def read(self) -> bytes | None:
        """What was kept; None if nothing was, or if it is damaged."""
        try:
            whole = self.path.read_bytes()
        except OSError:
            return None
        digest, content = whole[:_DIGEST], whole[_DIGEST:]
        return content if hashlib.sha256(content).digest() == digest else None

    def due(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() - self._last >= self.every

    def write(self, content: bytes) -> None:
        """Replace the file. A full disk is no reason to stop: nothing is kept then."""
        temporary = self.path.with_suffix(".tmp")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_synced(temporary, hashlib.sha256(content).digest() + content)
            temporary.replace(self.path)
        except OSError:
            temporary.unlink(missing_ok=True)
        self._last = time.monotonic()

    def remove(self) -> None:
        """The cell is done."""
        self.path.unlink(missing_ok=True)
