"""Fashion-mnist from its four idx files, as 32x32 images."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

PADDING = 2  # 28x28 to 32x32
IDX_HEADER = {"images": 16, "labels": 8}  # bytes before the data


@dataclass(frozen=True)
class Garments:
    """Garment images, float (n, 1, 32, 32) in [0, 1], and labels (n,), class indices."""

    images: Tensor
    labels: Tensor


def read_idx(folder: Path, split: str, kind: str) -> np.ndarray:
    """Read one idx file, plain or gzipped, as a flat array of bytes.

    Args:
        folder: holds the files under their published names.
        split: "train" or "t10k".
        kind: "images" or "labels".
    Raises:
        FileNotFoundError: neither the plain nor the gzipped file is there.
    """
    stem = f"{split}-{kind}-idx{3 if kind == 'images' else 1}-ubyte"
    plain, packed = folder / stem, folder / f"{stem}.gz"
    if plain.exists():
        data = plain.read_bytes()
    elif packed.exists():
        data = gzip.decompress(packed.read_bytes())
    else:
        raise FileNotFoundError(f"found neither {plain} nor {packed}; --data must hold fashion-mnist's idx files")
    return np.frombuffer(data, dtype=np.uint8, offset=IDX_HEADER[kind])


def load_garments(folder: Path, split: str) -> Garments:
    """Load one split of fashion-mnist, padded with black to 32x32."""
    pixels = torch.from_numpy(read_idx(folder, split, "images").copy()).view(-1, 1, 28, 28)
    labels = torch.from_numpy(read_idx(folder, split, "labels").copy()).long()
    return Garments(F.pad(pixels, (PADDING,) * 4).float() / 255, labels)
