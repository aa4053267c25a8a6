"""One augmentation on one minibatch, without a network."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from windtunnel.builtins import AUGMENTATIONS
from windtunnel.core.dataset import Dataset
from windtunnel.core.part import Fitting, Minibatch
from windtunnel.core.texts import Texts
from windtunnel.seeding import generator


def pictures(count: int = 48, channels: int = 1, height: int = 16, width: int = 16) -> Dataset:
    """Images of soft random shapes under noise."""
    random = generator("pictures", channels)
    rows, columns = np.meshgrid(np.linspace(0, 3, height), np.linspace(0, 3, width), indexing="ij")
    wave = np.sin(rows[None, ..., None] * random.uniform(1, 3, (count, 1, 1, channels)) + random.uniform(0, 6, (count, 1, 1, channels)))
    wave = wave * np.cos(columns[None, ..., None] * random.uniform(1, 3, (count, 1, 1, channels)))
    pixels = (128 + 90 * wave + random.normal(0, 6, wave.shape)).clip(0, 255).astype(np.uint8)
    return Dataset("pictures", ("a", "b", "c"), tuple(f"p{row}" for row in range(count)), np.arange(count) % 3, pixels)


def sentences(texts: list[str] | Texts) -> Dataset:
    """Texts of two classes."""
    store = texts if isinstance(texts, Texts) else Texts.of(texts)
    return Dataset("sentences", ("a", "b"), tuple(f"s{row}" for row in range(len(store))), np.arange(len(store)) % 2, store)


def fitting(data: Dataset, seed: int = 0, epoch: int = 1) -> Fitting:
    """A stage that trains nothing."""
    network: Any = None
    stage = Fitting(network, data, data, seed, torch.device("cpu"), "full", 3, 1, {}, lambda: iter(()), lambda loss: None)
    stage.epoch = epoch
    return stage


def minibatch(data: Dataset, rows: list[int] | None = None) -> Minibatch:
    """Samples of a data set as the loop gives them."""
    batch = data.batch(rows)
    return Minibatch(batch.inputs, batch.labels, batch.ids)


def augmented(name: str, data: Dataset, rows: list[int] | None = None, /, *, seed: int = 0, epoch: int = 1, **arguments: Any) -> Minibatch:
    """What an augmentation of the table makes of samples."""
    return AUGMENTATIONS.load(name)(**arguments).begin(fitting(data, seed, epoch)).augment(minibatch(data, rows))
