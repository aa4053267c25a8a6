"""Store: content-addressed entries on disk, written whole or not at all, checked by digest when read."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from windtunnel.core import canonical
from windtunnel.errors import StoreError

INDEX = "entry.json"


@dataclass(frozen=True)
class Entry:
    """One entry whose files have been checked against their digests.

    Args:
        key: its address.
        folder: where its files lie.
        seconds: what it took to compute.
    """

    key: str
    folder: Path
    seconds: float

    def bytes(self, name: str) -> bytes:
        """The content of one of its files."""
        return (self.folder / name).read_bytes()

    def json(self, name: str) -> dict[str, object]:
        """One of its files as JSON."""
        data: dict[str, object] = json.loads(self.bytes(name))
        return data


class Store:
    """A folder of entries, shared by any number of processes.

    Args:
        root: the folder; made on first write.
    `damaged` lists the keys that were found damaged by this object and set aside.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.damaged: list[str] = []

    def folder(self, key: str) -> Path:
        """Where the entry of `key` lies, or would."""
        return self.root / "entries" / key[:2] / key

    def has(self, key: str) -> bool:
        """Whether there is an entry; its digests are checked by `read`."""
        return bool(key) and (self.folder(key) / INDEX).is_file()

    def read(self, key: str) -> Entry | None:
        """The entry of `key`, all its files checked; None if there is none or it is damaged.

        A damaged entry is moved to `damaged/`, so that it is computed anew and can still be looked at.
        """
        if not self.has(key):
            return None
        folder = self.folder(key)
        try:
            index = json.loads((folder / INDEX).read_text())
            intact = all(_sha256(folder / name) == digest for name, digest in index["files"].items())
            seconds = float(index["seconds"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            intact, seconds = False, 0.0
        if intact:
            return Entry(key, folder, seconds)
        self._set_aside(key)
        return None

    def write(self, key: str, files: Mapping[str, bytes], seconds: float = 0.0) -> None:
        """Write an entry: to a temporary name, synced, renamed. An entry that is already there stays as it is.

        Raises:
            StoreError: the disk is full or the folder cannot be written; nothing is half-written.
        """
        target = self.folder(key)
        if self.has(key):
            return
        temporary = self.root / "tmp" / f"{key[:16]}-{uuid.uuid4().hex}"
        index = {"files": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}, "seconds": seconds}
        try:
            temporary.mkdir(parents=True)
            for name, data in {**files, INDEX: canonical.dumps(index).encode()}.items():
                write_synced(temporary / name, data)
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(target)
            sync_folder(target.parent)
        except OSError as error:
            shutil.rmtree(temporary, ignore_errors=True)
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST) and self.has(key):
                return  # another process wrote the same content first
            raise StoreError(self._explain(error)) from error

    def remove_leftovers(self) -> None:
        """Delete what killed writers left under temporary names."""
        shutil.rmtree(self.root / "tmp", ignore_errors=True)

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Hold the right to compute `key`, so that two processes do not do it at once."""
        from filelock import FileLock

        folder = self.root / "locks"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with FileLock(str(folder / f"{key}.lock")):
                yield
        except OSError as error:
            raise StoreError(self._explain(error)) from error

    def addresses(self) -> Iterator[str]:
        """Every key there is."""
        for folder in sorted((self.root / "entries").glob("*/*")):
            if (folder / INDEX).is_file():
                yield folder.name

    def _set_aside(self, key: str) -> None:
        aside = self.root / "damaged" / f"{key}-{uuid.uuid4().hex[:8]}"
        try:
            aside.parent.mkdir(parents=True, exist_ok=True)
            self.folder(key).replace(aside)
        except OSError as error:
            raise StoreError(f"The entry {self.folder(key)} is damaged and cannot be moved aside: {error}. Delete it by hand.") from error
        self.damaged.append(key)

    def _explain(self, error: OSError) -> str:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return f"No space left for the store at {self.root}. What is done is kept; free some space, or name another place with --store."
        return f"The store at {self.root} cannot be written: {error.strerror or error}. Name another place with --store."


def write_synced(path: Path, data: bytes) -> None:
    """Write a file and wait until it is on the disk."""
    with path.open("wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut, where the system can."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
