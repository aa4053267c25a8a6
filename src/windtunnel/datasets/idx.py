"""Files in the idx format of MNIST, compressed or not, checked against their own headers."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from windtunnel.errors import DataError

UNSIGNED_BYTES = 0x08
"""The type code of every file of the MNIST family, third byte of the magic number."""


def read_idx(path: Path, dimensions: int, remedy: str) -> npt.NDArray[np.uint8]:
    """Read an array of unsigned bytes.

    Args:
        path: an idx file; compressed if its name ends in ".gz".
        dimensions: 3 for images, 1 for labels.
        remedy: a sentence on how to get a good file.
    Raises:
        DataError: unreadable, of another kind, truncated, or longer than its header says.
    """
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
            header = stream.read(4 + 4 * dimensions)
            shape = _shape(path, header, dimensions, remedy)
            expected = int(np.prod(shape, dtype=np.int64))
            # One byte more than expected, so that a file that is too long shows, and no more, so that none fills the memory.
            data = stream.read(expected + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}; it is damaged or truncated. {remedy}") from error
    if len(data) != expected:
        found = f"{len(data)} bytes" if len(data) < expected else "more"
        raise DataError(f"{path} announces {' x '.join(map(str, shape))} values, {expected} bytes, and holds {found}. {remedy}")
    return np.frombuffer(data, dtype=np.uint8).reshape(shape)


def _shape(path: Path, header: bytes, dimensions: int, remedy: str) -> tuple[int, ...]:
    if len(header) < 4 + 4 * dimensions:
        raise DataError(f"{path} has {len(header)} bytes, less than an idx header; it is truncated. {remedy}")
    magic = int.from_bytes(header[:4], "big")
    expected = UNSIGNED_BYTES << 8 | dimensions
    if magic != expected:
        kind = "images" if dimensions == 3 else "labels"
        raise DataError(f"{path} begins with the magic number {magic}; expected {expected}, that of an idx file of {kind}. {remedy}")
    return tuple(int.from_bytes(header[start : start + 4], "big") for start in range(4, len(header), 4))
