"""Randomness keyed by what it is for: (seed, purpose, sample id), never by a global state."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import overload

import numpy as np

Part = str | int


def digest(*parts: Part) -> bytes:
    """32 bytes that depend on every part and on the borders between them."""
    hasher = hashlib.sha256()
    for part in parts:
        text = str(part).encode()
        hasher.update(f"{type(part).__name__}:{len(text)}:".encode())
        hasher.update(text)
    return hasher.digest()


def generator(*parts: Part) -> np.random.Generator:
    """A counter-based generator (Philox) whose stream is a function of `parts` alone."""
    key = np.frombuffer(digest(*parts)[:16], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))


class Generators(Sequence[np.random.Generator]):
    """A generator per key, made when it is first asked for, and kept: what draws nothing shall not pay for it."""

    def __init__(self, keys: Iterable[tuple[Part, ...]]) -> None:
        self._keys = tuple(keys)
        self._made: dict[int, np.random.Generator] = {}

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, row: int) -> np.random.Generator: ...
    @overload
    def __getitem__(self, row: slice) -> list[np.random.Generator]: ...
    def __getitem__(self, row: int | slice) -> np.random.Generator | list[np.random.Generator]:
        if isinstance(row, slice):
            return [self[place] for place in range(len(self))[row]]
        place = range(len(self))[row]
        if place not in self._made:
            self._made[place] = generator(*self._keys[place])
        return self._made[place]


def generators(seed: int, purpose: str, ids: Sequence[str]) -> Generators:
    """One generator per sample id; the same for any batch size, order and worker."""
    return Generators((seed, purpose, name) for name in ids)


def uniforms(seed: int, purpose: str, ids: Sequence[str], count: int) -> np.ndarray:
    """A few numbers in [0, 1) per sample id; the same for any batch size, order and worker. Far cheaper than a generator each.

    Shapes:
        returns (len(ids), count), float64.
    """
    start = hashlib.shake_256(digest("uniforms", seed, purpose))

    def words(name: str) -> bytes:
        hasher = start.copy()
        hasher.update(name.encode())
        return hasher.digest(8 * count)

    # Each 64-bit word makes one number, of its 53 highest bits.
    found = np.frombuffer(b"".join(map(words, ids)), dtype="<u8").reshape(len(ids), count)
    return (found >> np.uint64(11)) * 2.0**-53


def integer(*parts: Part) -> int:
    """A 63-bit integer that is a function of `parts` alone."""
    return int.from_bytes(digest(*parts)[:8], "little") >> 1


@contextmanager
def scoped(*parts: Part) -> Iterator[None]:
    """Key the global torch, numpy and Python generators for a block, and restore them after.

    For third-party layers that can only draw from global state (dropout, stochastic depth); our own code takes a generator.
    """
    import random

    import torch

    python, numpy = random.getstate(), np.random.get_state()
    devices = range(torch.cuda.device_count()) if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=list(devices)):
        reseed(*parts)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)


def reseed(*parts: Part) -> None:
    """Key the global generators anew inside a `scoped` block, e.g. once per training step."""
    import random

    import torch

    number = integer(*parts)
    random.seed(number)
    np.random.seed(number % 2**32)
    # torch.manual_seed gives the same draws, but formats a stack trace for every accelerator that nobody uses: half the cost of a small head's step.
    torch.default_generator.manual_seed(number)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]  # torch does not annotate it
        torch.cuda.manual_seed_all(number)
    if torch.backends.mps.is_available():
        torch.mps.manual_seed(number)
