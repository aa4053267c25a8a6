"""The content of images, read once in a stream: what tells duplicates, constant images and the fingerprint."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from windtunnel.core.dataset import Dataset

CHUNK = 128
"""Images held at once: 19 MB at 224 x 224 x 3."""


@dataclass(frozen=True)
class Content:
    """What was read of one image.

    Args:
        digest: sha256 over shape and pixels; equal for equal images only.
        constant: every value is the same.
    """

    digest: bytes
    constant: bool


def read_contents(dataset: Dataset) -> dict[str, Content]:
    """Read every image of `dataset` once: id -> content.

    Raises:
        DataError: an image that cannot be read, with its file named.
    """
    contents: dict[str, Content] = {}
    for start in range(0, len(dataset), CHUNK):
        ids = dataset.ids[start : start + CHUNK]
        pixels = dataset.pixels(range(start, start + len(ids)))
        shape = str(pixels.shape[1:]).encode()
        constant = np.ptp(pixels.reshape(len(pixels), -1), axis=1) == 0
        for row, name in enumerate(ids):
            digest = hashlib.sha256(shape + pixels[row].tobytes()).digest()
            contents[name] = Content(digest, bool(constant[row]))
    return contents
