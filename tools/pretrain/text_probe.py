"""Does micro-bert transfer? Linear probes and full fine-tuning on movie snippets, pre-trained beside random.

    python tools/pretrain/text_probe.py --split test --lr 5e-5 5e-4

`--split test` is for the final measurement; every choice is made on the validation split. It uses the harness's own recipes.
"""

from __future__ import annotations

import argparse
import json

import torch

from windtunnel.api import finetune
from windtunnel.core.dataset import Splits
from windtunnel.datasets.sentiment import Sentiment
from windtunnel.models.packaged import ZooModel


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--split", choices=("val", "test"), default="val")
    parser.add_argument("--domain", default="movie", help="the one to be trained and tested on")
    parser.add_argument("--recipe", choices=("linear-probe", "full"), default="full")
    parser.add_argument("--lr", type=float, nargs="*", default=[], help="learning rates; the recipe's own if left out")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def accuracy(source: Sentiment, splits: Splits, options: argparse.Namespace, seed: int, pretrained: bool, arguments: dict[str, float]) -> float:
    """Return the accuracy after fine-tuning."""
    model = ZooModel(name="micro-bert", pretrained=pretrained)
    victim = finetune(model, options.recipe, source, seed=seed, device="cpu", **arguments)
    batch = splits[options.split].batch()
    with torch.no_grad():
        answers = torch.cat([victim.logits(part.inputs).argmax(1) for part in batch.chunks(250)])
    return round((answers == batch.labels).float().mean().item(), 4)


def main() -> None:
    """Measure the shipped weights and the random start beside each other, with the same arguments."""
    options = parse_arguments()
    torch.set_num_threads(options.threads)
    source = Sentiment(domain=options.domain)
    splits = source.load()
    for arguments in [{"lr": rate} for rate in options.lr] or [{}]:
        for start, pretrained in (("pretrained", True), ("random", False)):
            found = [accuracy(source, splits, options, seed, pretrained, arguments) for seed in range(options.seeds)]
            print(json.dumps({"recipe": options.recipe, "split": options.split, **arguments, start: found}), flush=True)


if __name__ == "__main__":
    main()
