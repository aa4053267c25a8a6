"""Augmentation of minibatches, against torchvision's transforms of the same operation, image by image as its data loaders do. Imports torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms import v2

from perf.material import CPU, SEED, settle
from perf.report import Figure, Section
from perf.timing import Job, Times, interleave, ratio
from windtunnel.builtins import AUGMENTATIONS
from windtunnel.core.dataset import Dataset
from windtunnel.core.modality import IMAGE
from windtunnel.core.network import Network
from windtunnel.core.part import Fitting, Minibatch
from windtunnel.models.packaged import ZooModel
from windtunnel.seeding import generator

BATCH, SIDE = 64, 32
ROUNDS = 15

GIVEN: Mapping[str, dict[str, Any]] = MappingProxyType({"perturbation": {"threats": ["speckle-noise", "gaussian-blur", "spatter", "saturate"]}})
"""Arguments of those that have no defaults."""

PEERS: Mapping[str, Callable[[], Any]] = MappingProxyType(
    {
        "flip": v2.RandomHorizontalFlip,
        "rotation": partial(v2.RandomRotation, 15, v2.InterpolationMode.BILINEAR),
        "crop": partial(v2.RandomCrop, SIDE, padding=SIDE // 8),
        "noise": lambda: v2.RandomApply([v2.GaussianNoise(sigma=0.5)], 0.5),
        "erasing": partial(v2.RandomErasing, 0.5, (0.02, 0.4), (0.3, 1 / 0.3), "random"),
        "randaugment": v2.RandAugment,
        "trivialaugment": v2.TrivialAugmentWide,
        "augmix": v2.AugMix,
    }
)
"""Torchvision's classes at the same settings; its AugMix makes one view, ours two."""

TEXT = """\
Minibatches of {batch} float images of {side}x{side} pixels, through an augmentation with its defaults and through torchvision's transform of the same
settings, applied to each image and stacked. Milliseconds a minibatch, medians of {rounds} interleaved rounds, one thread. Ours are keyed by sample;
torchvision draws from a global generator.

| augmentation | grey, ms | torchvision, ms | colour, ms | torchvision, ms |
|---|---|---|---|---|
{rows}
"""


def measure(rounds: int = ROUNDS) -> Section:
    """A row for each augmentation of images."""
    settle()
    rows, slower = [], []
    for name in (each for each in AUGMENTATIONS if IMAGE in _modalities(each)):
        columns = []
        for channels in (1, 3):
            found = times(name, channels, rounds)
            columns += [f"{found['ours'].median * 1000:.2f}", f"{found['theirs'].median * 1000:.2f}" if "theirs" in found else ""]
            if "theirs" in found:
                slower.append((ratio(found["theirs"], found["ours"]).medians, name))
        rows.append(f"| {name} | {' | '.join(columns)} |")
    least, name = min(slower)
    figure = Figure("augmentation: faster than torchvision image by image, the slowest", "at least 1 time", f"{name}: {least:.1f} times", least >= 1)
    return Section("augmentations", (figure,), TEXT.format(batch=BATCH, side=SIDE, rounds=rounds, rows="\n".join(rows)))


def times(name: str, channels: int, rounds: int) -> dict[str, Times]:
    """Seconds a minibatch, ours and torchvision's where there is one."""
    hooks, minibatch = AUGMENTATIONS.load(name)(**GIVEN.get(name, {})).begin(stage(channels)), images(channels)
    hooks.augment(minibatch)  # patterns are made once
    jobs = [Job("ours", lambda _: hooks.augment(minibatch))]
    if name in PEERS:
        jobs.append(Job("theirs", lambda _: each(PEERS[name](), minibatch.inputs)))
    return interleave(jobs, rounds)


def each(transform: Any, inputs: Tensor) -> Tensor:
    """Images one by one, as a data loader does."""
    return torch.stack([transform(image) for image in inputs])


def data(channels: int) -> Dataset:
    """Random images."""
    pixels = generator("perf", channels).integers(0, 256, (BATCH, SIDE, SIDE, channels)).astype(np.uint8)
    return Dataset("random", ("a", "b"), tuple(f"r{row}" for row in range(BATCH)), np.arange(BATCH) % 2, pixels)


def images(channels: int) -> Minibatch:
    """All of them."""
    batch = data(channels).batch()
    return Minibatch(batch.inputs, batch.labels, batch.ids)


def stage(channels: int) -> Fitting:
    """A stage in its first epoch."""
    found, network = data(channels), Network(ZooModel(name="micro-resnet").load(), 2)
    return Fitting(network, found, found, SEED, CPU, "full", 1, 1, {}, lambda: iter(()), torch.Tensor.backward, epoch=1)


def _modalities(name: str) -> tuple[str, ...]:
    kind = AUGMENTATIONS.load(name)
    if kind.modality != "any":
        return (kind.modality,)
    return kind(**GIVEN.get(name, {})).modalities
