"""Pre-train one network of the zoo on fashion-mnist and on glyphs cut from it.

    python tools/pretrain/pretrain.py micro-resnet --data FOLDER --out FOLDER

Writes NAME.safetensors (half precision) and NAME.json (the arguments and what was measured).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from augment import draw_glyphs, vary_garments
from garments import Garments, load_garments
from glyphs import make_alphabet
from rich.progress import track
from safetensors.torch import save_file
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from windtunnel.models import zoo

RATES = {"micro-resnet": 4e-3, "micro-vit": 2e-3}  # peak learning rates; the usual order of size for AdamW
STEPS = {"micro-resnet": 3000, "micro-vit": 2800}  # of the shipped weights: a quarter of an hour of one thread each


@dataclass(frozen=True)
class Step:
    """One training batch: garments first, then glyphs, normalised; labels of each part."""

    inputs: Tensor
    garments: Tensor
    glyphs: Tensor


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=sorted(zoo.ZOO))
    parser.add_argument("--data", type=Path, required=True, help="folder with fashion-mnist's idx files")
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights and the measurements")
    parser.add_argument("--steps", type=int, help="depends on the network if left out")
    parser.add_argument("--batch", type=int, nargs=2, default=(128, 128), metavar=("GARMENTS", "GLYPHS"))
    parser.add_argument("--alphabet", type=int, default=1000, help="number of glyph classes")
    parser.add_argument("--rate", type=float, help="peak learning rate; depends on the network if left out")
    parser.add_argument("--decay", type=float, default=0.05, help="weight decay")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    options.steps = options.steps or STEPS[options.name]
    options.rate = options.rate or RATES[options.name]
    return options


def normalise(images: Tensor, name: str) -> Tensor:
    """Apply the preprocessing that belongs to a network."""
    expected = zoo.preprocessing(name)
    return (images - expected.mean[0]) / expected.std[0]


def batches(data: Garments, alphabet: Tensor, options: argparse.Namespace) -> Iterator[Step]:
    """Yield the training batches, drawn with replacement."""
    generator = Generator().manual_seed(options.seed)
    garments, glyphs = options.batch
    for _ in range(options.steps):
        chosen = torch.randint(len(data.images), (garments,), generator=generator)
        letters = torch.randint(len(alphabet), (glyphs,), generator=generator)
        images = torch.cat([vary_garments(data.images[chosen], generator), draw_glyphs(alphabet[letters], generator)])
        yield Step(normalise(images, options.name), data.labels[chosen], letters)


def loss_of(net: nn.Module, glyph_head: nn.Module, step: Step) -> Tensor:
    """Return the sum of the two cross-entropies, garments and glyphs, on shared pooled features."""
    features = net.forward_head(net.forward_features(step.inputs), pre_logits=True)
    split = len(step.garments)
    garment_loss = F.cross_entropy(net.get_classifier()(features[:split]), step.garments, label_smoothing=0.05)
    glyph_loss = F.cross_entropy(glyph_head(features[split:]), step.glyphs, label_smoothing=0.05)
    return garment_loss + glyph_loss


def train(net: nn.Module, data: Garments, alphabet: Tensor, options: argparse.Namespace) -> nn.Module:
    """Train the network with AdamW under a one-cycle schedule; the glyphs' head is thrown away."""
    width = net.get_classifier().in_features
    glyph_head = nn.Linear(width, len(alphabet))
    parameters = [*net.parameters(), *glyph_head.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=options.rate, weight_decay=options.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, options.rate, total_steps=options.steps, pct_start=0.1)
    net.train()
    smooth = 0.0
    for number, step in enumerate(track(batches(data, alphabet, options), "pre-training", total=options.steps), 1):
        loss = loss_of(net, glyph_head, step)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        schedule.step()
        smooth = 0.98 * smooth + 0.02 * loss.item()
        if number % 500 == 0:
            print(f"step {number}: loss {smooth / (1 - 0.98**number):.3f}", flush=True)
            save(net, options)
    return net.eval()


def save(net: nn.Module, options: argparse.Namespace) -> None:
    """Write the weights in half precision; integers stay as they are."""
    stored = {key: value.detach().half().contiguous() if value.is_floating_point() else value for key, value in net.state_dict().items()}
    path = options.out / f"{options.name}.safetensors"
    save_file(stored, path, metadata={"format": "pt"})
    path.chmod(0o644)  # safetensors leaves the file readable by its owner alone, and so would the wheel


@torch.no_grad()
def accuracy(net: nn.Module, data: Garments, name: str) -> float:
    """Return the share of garments that the network names rightly."""
    hits = [
        (net(normalise(images, name)).argmax(1) == labels).sum().item()
        for images, labels in zip(data.images.split(500), data.labels.split(500), strict=True)
    ]
    return sum(hits) / len(data.labels)


def main() -> None:
    """Train, write the weights, read them back and measure what was written."""
    options = parse_arguments()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    data = load_garments(options.data, "train")
    alphabet = make_alphabet(data.images, options.alphabet, options.seed)
    start = time.perf_counter()
    net = train(zoo.build(options.name, pretrained=False), data, alphabet, options)
    save(net, options)
    net.half().float()  # the rounding that the file has been through
    test = load_garments(options.data, "t10k")
    measured = {
        "network": options.name,
        "arguments": {key: value for key, value in vars(options).items() if key not in ("data", "out")},
        "seconds": round(time.perf_counter() - start),
        "garment_test_accuracy": accuracy(net, test, options.name),
    }
    (options.out / f"{options.name}.json").write_text(json.dumps(measured, indent=2) + "\n")
    print(json.dumps(measured, indent=2))


if __name__ == "__main__":
    main()
