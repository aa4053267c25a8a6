"""The content of samples, read once in a stream: what tells duplicates, constant ones and the fingerprint."""

from __future__ import annotations

from dataclasses import dataclass

from windtunnel.core.dataset import Dataset

CHUNK = 128
"""Samples held at once: 19 MB of images at 224 x 224 x 3."""


@dataclass(frozen=True)
class Content:
    """What was read of one sample.

    Args:
        digest: sha256 over all of it; equal for equal samples only.
        constant: every value is the same.
    """

    digest: bytes
    constant: bool


def read_contents(dataset: Dataset) -> dict[str, Content]:
    """Read every sample of `dataset` once: id -> content.

    Raises:
        DataError: an image that cannot be read, with its file named.
    """
    contents: dict[str, Content] = {}
    for start in range(0, len(dataset), CHUNK):
        ids = dataset.ids[start : start + CHUNK]
        stored = dataset.stored(range(start, start + len(ids)))
        modality = dataset.modality
        for name, digest, constant in zip(ids, modality.digests(stored), modality.constant(stored), strict=True):
            contents[name] = Content(digest, constant)
    return contents
