"""Reader: a language model from texts to features, with its tokenizer inside. Imports torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from windtunnel.core.texts import Texts
from windtunnel.errors import VictimError

Tokens = Mapping[str, Sequence[int]]
"""What a network takes of one sample, by name: "input_ids", and "token_type_ids" where it tells pairs apart."""

SPARE = 0.125
"""Share of padding up to which samples of different length go through the network together; ours."""

FEW = 8
"""A group smaller than this grows on, for a small batch costs nearly as much as a larger one; ours."""


MANY = 32
"""On a CPU, the largest group: more do not fit its caches, and a sample costs an eighth more; ours."""


class Tokenize(Protocol):
    """A tokenizer, as a reader uses it."""

    def __call__(self, texts: Texts) -> Sequence[Tokens]:
        """What the network takes of each sample."""

    def truncated(self, texts: Texts) -> int:
        """How many samples are cut off."""


class Reader(nn.Module):
    """Texts to features.

    Samples go through the network in groups of like length, so that little is padded. The groups follow from the texts alone:
    the same texts in one call give the same bits.

    Args:
        tokenize: texts to tokens, a mapping each; knows how many texts it cuts off.
        network: padded tokens by name, with "attention_mask", each (batch, length), to features, (batch, features).
        pad: the token that fills up.
    Raises:
        VictimError: images.
    """

    def __init__(self, tokenize: Tokenize, network: nn.Module, pad: int) -> None:
        super().__init__()
        self.tokenize = tokenize
        self.network = network
        self.pad = pad

    def lengths(self, texts: Texts) -> list[int]:
        """Number of tokens of each sample, after truncation."""
        return [len(tokens["input_ids"]) for tokens in self.tokenize(texts)]

    def truncated(self, texts: Texts) -> int:
        """Number of samples that are cut off."""
        return self.tokenize.truncated(texts)

    def forward(self, texts: Texts) -> Tensor:
        """Features, (batch, features)."""
        if not isinstance(texts, Texts):
            raise VictimError(f"This network takes texts, and was given a {type(texts).__name__}; fine-tune an image model for images.")
        tokens = self.tokenize(texts)
        on_cpu = next(self.network.parameters()).device.type == "cpu"
        pieces = groups([len(each["input_ids"]) for each in tokens], MANY if on_cpu else None)
        found = torch.cat([self.network(**self._padded([tokens[row] for row in rows])) for rows in pieces])
        order = torch.tensor([row for rows in pieces for row in rows], device=found.device)
        return found[order.argsort()]

    def _padded(self, tokens: Sequence[Tokens]) -> dict[str, Tensor]:
        """Tokens of one group as tensors on the network's device; what is filled up is masked."""
        device = next(self.network.parameters()).device
        longest = max(len(each["input_ids"]) for each in tokens)

        def filled(rows: Sequence[Sequence[int]], value: int) -> Tensor:
            return torch.tensor([[*row, *[value] * (longest - len(row))] for row in rows], device=device)

        mask = filled([[1] * len(each["input_ids"]) for each in tokens], 0)
        named = {name: filled([each[name] for each in tokens], self.pad if name == "input_ids" else 0) for name in tokens[0]}
        return {**named, "attention_mask": mask}


def groups(lengths: Sequence[int], most: int | None = None) -> list[list[int]]:
    """Row numbers by ascending length, cut where more padding would cost more than another group, and into equal parts of at most `most`."""
    found: list[list[int]] = []
    held = 0
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        size = len(found[-1]) if found else 0
        padded = lengths[row] * (size + 1)
        if not found or (size >= FEW and padded > (1 + SPARE) * (held + lengths[row])):
            found.append([])
            held = 0
        found[-1].append(row)
        held += lengths[row]
    return found if most is None else [part for rows in found for part in _parts(rows, -(-len(rows) // most))]


def _parts(rows: list[int], count: int) -> list[list[int]]:
    """Equal parts, as far as that is possible."""
    return [rows[len(rows) * part // count : len(rows) * (part + 1) // count] for part in range(count)]
