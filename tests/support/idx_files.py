"""Small data sets in the idx format of the MNIST family."""

import gzip
from pathlib import Path

import numpy as np


def idx_bytes(array: np.ndarray) -> bytes:
    """An array of unsigned bytes as an idx file."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


def arrays(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noise of 28 x 28, with every class in turn."""
    pixels = np.random.default_rng(seed).integers(0, 256, (count, 28, 28), dtype=np.uint8)
    return pixels, (np.arange(count) % 10).astype(np.uint8)


def write_mnist_like(folder: Path, *, train: int = 100, test: int = 40, compress: bool = False) -> Path:
    """The four files of a data set like MNIST."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (stem, count) in enumerate({"train": train, "t10k": test}.items()):
        pixels, labels = arrays(count, seed)
        for kind, array in (("images-idx3", pixels), ("labels-idx1", labels)):
            content = idx_bytes(array)
            name = f"{stem}-{kind}-ubyte"
            if compress:
                (folder / f"{name}.gz").write_bytes(gzip.compress(content))
            else:
                (folder / name).write_bytes(content)
    return folder
