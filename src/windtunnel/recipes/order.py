"""The order in which a training split is seen: keyed, in equal batches, texts of like length together. Imports torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from windtunnel.core.batch import Batch
from windtunnel.core.dataset import Dataset
from windtunnel.core.network import Network
from windtunnel.core.part import Minibatch
from windtunnel.seeding import generator

POOL = 50
"""Batches' worth of samples among which texts of like length are put together; as transformers' grouped sampler does."""

EVALUATION_BATCH = 256

Batches = Callable[[int], Iterator[Minibatch]]
"""Epoch, 1-based, to its minibatches."""


def order(count: int, batch: int, seed: int, epoch: int) -> list[np.ndarray]:
    """A keyed permutation of `count` samples cut into equal batches of at most `batch`; no tiny last one."""
    permutation = generator(seed, "order", epoch).permutation(count)
    return np.array_split(permutation, steps_of(count, batch))


def order_by_length(lengths: Sequence[int], batch: int, seed: int, epoch: int) -> list[np.ndarray]:
    """The keyed permutation cut into equal batches of samples of like length, themselves in keyed order.

    Only within every POOL batches' worth of samples is like put to like, so that the epochs differ in who meets whom.

    Args:
        lengths: tokens of each sample.
    """
    permutation = generator(seed, "order", epoch).permutation(len(lengths))
    pools = [permutation[start : start + POOL * batch] for start in range(0, len(permutation), POOL * batch)]
    sizes = np.asarray(lengths)
    alike = np.concatenate([pool[np.argsort(sizes[pool], kind="stable")] for pool in pools])
    batches = np.array_split(alike, steps_of(len(lengths), batch))
    return [batches[place] for place in generator(seed, "batches", epoch).permutation(len(batches))]


def steps_of(count: int, batch: int) -> int:
    """Batches an epoch."""
    return max(1, math.ceil(count / batch))


def training_batches(network: Network, data: Dataset, batch: int, seed: int, device: torch.device) -> Batches:
    """Minibatches of a training split."""
    lengths = network.lengths(data)

    def batches(epoch: int) -> Iterator[Minibatch]:
        drawn = order(len(data), batch, seed, epoch) if lengths is None else order_by_length(lengths, batch, seed, epoch)
        for rows in drawn:
            yield _minibatch(data.batch(rows, device))

    return batches


def validation_batches(data: Dataset, device: torch.device) -> Callable[[], Iterator[Minibatch]]:
    """The samples of a validation split in their order."""

    def batches() -> Iterator[Minibatch]:
        for start in range(0, len(data), EVALUATION_BATCH):
            yield _minibatch(data.batch(np.arange(start, min(start + EVALUATION_BATCH, len(data))), device))

    return batches


def _minibatch(batch: Batch[Any]) -> Minibatch:
    return Minibatch(batch.inputs, batch.labels, batch.ids)
