from __future__ import annotations

import json
import multiprocessing
import os
import resource
import subprocess
import sys

import pytest

from windtunnel.errors import StoreError
from windtunnel.execution.store import INDEX, Store

KEY = "ab" * 32
FILES = {"record.json": b"{}", "weights.safetensors": bytes(range(256))}


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store")


def test_what_was_written_is_read_back(store):
    assert not store.has(KEY)
    assert store.read(KEY) is None
    store.write(KEY, FILES, 1.5)
    entry = store.read(KEY)
    assert entry is not None
    assert {name: entry.bytes(name) for name in FILES} == FILES
    assert entry.seconds == 1.5
    assert entry.json("record.json") == {}
    assert list(store.addresses()) == [KEY]
    assert not list((store.root / "tmp").iterdir())


def test_an_entry_that_is_there_stays_as_it_is(store):
    store.write(KEY, FILES, 1.0)
    store.write(KEY, {"record.json": b"other"}, 2.0)
    assert store.read(KEY).bytes("record.json") == b"{}"


@pytest.mark.parametrize("damage", ["flip a bit", "truncate", "lose a file", "lose the index's sense"])
def test_a_damaged_entry_is_reported_set_aside_and_gone(store, damage):
    store.write(KEY, FILES)
    path = store.folder(KEY) / "weights.safetensors"
    if damage == "flip a bit":
        data = bytearray(path.read_bytes())
        data[7] ^= 1
        path.write_bytes(bytes(data))
    elif damage == "truncate":
        path.write_bytes(path.read_bytes()[:-1])
    elif damage == "lose a file":
        path.unlink()
    else:
        (store.folder(KEY) / INDEX).write_text("[1")
    assert store.read(KEY) is None
    assert store.damaged == [KEY]
    assert not store.has(KEY)
    assert len(list((store.root / "damaged").iterdir())) == 1
    store.write(KEY, FILES)
    assert store.read(KEY) is not None


def test_a_writer_that_was_killed_leaves_no_entry(store):
    store.write(KEY, FILES)
    half = store.root / "tmp" / "abab-killed"
    half.mkdir()
    (half / "record.json").write_bytes(b"{")
    assert list(store.addresses()) == [KEY]
    store.remove_leftovers()
    assert not half.exists()
    assert store.read(KEY) is not None


def test_a_full_disk_is_one_clear_error_and_nothing_half_written(tmp_path):
    """A limit on the size of files stands in for the disk: the system refuses the write in the middle of it."""
    script = f"""
import resource, signal
from pathlib import Path
from windtunnel.execution.store import Store
from windtunnel.errors import StoreError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
store = Store(Path({str(tmp_path / "store")!r}))
try:
    store.write({KEY!r}, {{"small": b"x", "large": bytes(100_000)}})
except StoreError as error:
    print(error)
print(store.has({KEY!r}), list((store.root / "tmp").iterdir()))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "cannot be written" in done.stdout
    assert "--store" in done.stdout
    assert done.stdout.endswith("False []\n")
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 1000


def test_a_full_file_system_names_the_store_and_what_to_do(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    if os.name != "posix" or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], capture_output=True).returncode:
        pytest.skip("needs the right to mount a small tmpfs")
    try:
        store = Store(small / "store")
        with pytest.raises(StoreError, match=r"No space left for the store at .*small.*--store"):
            store.write(KEY, {"large": bytes(1 << 20)})
        assert not store.has(KEY)
        store.write("cd" * 32, FILES)
        assert store.read("cd" * 32) is not None
    finally:
        subprocess.run(["umount", small], check=True)


def _write(root, barrier):
    barrier.wait()
    Store(root).write(KEY, FILES)


def test_two_processes_may_write_the_same_entry_at_once(store):
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    writers = [context.Process(target=_write, args=(store.root, barrier)) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert store.read(KEY) is not None
    assert json.loads((store.folder(KEY) / INDEX).read_text())["files"].keys() == FILES.keys()
