"""Images and texts of ten classes with 50 samples each, every one different."""

from __future__ import annotations

import numpy as np
import pytest

from windtunnel.core.dataset import Dataset
from windtunnel.core.texts import Texts

CLASSES = tuple("abcdefghij")


def dataset(store, count=500) -> Dataset:
    return Dataset("made[train]", CLASSES, tuple(f"s{row}" for row in range(count)), np.arange(count, dtype=np.int64) % 10, store)


@pytest.fixture
def images() -> Dataset:
    pixels = np.random.default_rng(0).integers(0, 256, (500, 6, 7, 3), dtype=np.uint8)
    return dataset(pixels)


@pytest.fixture
def texts() -> Dataset:
    rows = tuple((f"The film number {row} was not good at all.", f"question {row}") for row in range(500))
    return dataset(Texts(rows, ("text", "question"), ("text",)))
