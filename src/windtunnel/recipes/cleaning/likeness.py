"""Which images, and which texts, are near duplicates. Imports torch."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final

import torch
from torch import Tensor

from windtunnel.core.dataset import Dataset, to_inputs
from windtunnel.core.texts import Texts

SIDE: Final = 32
"""Pixels a side at which images are compared at most; ours: enough for a shift by one of them to be a small one."""

BLOCK: Final = 1024
"""Images that are compared with all others at once."""

WORDS: Final = 3
"""Words of a shingle."""

ROUNDING: Final = 1e-9
"""What a product of a share and a count may be off."""

SHIFTS: Final = ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0))
"""Rows and columns by which one image is moved before it is compared."""

_WORD: Final = re.compile(r"\w+")


def alike_images(data: Dataset, least: float, device: torch.device) -> Iterator[tuple[int, int]]:
    """Pairs of rows whose images correlate at least so much, at the best shift by a pixel; images of one colour only if they are equal.

    Every pair is looked at: the time grows with the square of the samples.
    """
    moved = list(_crops(data, device))
    centre = moved[0]
    for start in range(0, len(centre), BLOCK):
        block = centre[start : start + BLOCK]
        near = torch.zeros((len(block), len(centre)), dtype=torch.bool, device=device)
        for other in moved:
            near |= block @ other.T >= least - 1e-5  # float32 sums of some thousand products
        for one, two in near.nonzero().tolist():
            if start + one != two:
                yield start + one, two
    yield from _equal(data)


def _equal(data: Dataset) -> Iterator[tuple[int, int]]:
    seen: dict[bytes, int] = {}
    for start in range(0, len(data), BLOCK):
        rows = range(start, min(start + BLOCK, len(data)))
        for row, image in zip(rows, data.pixels(rows), strict=True):
            first = seen.setdefault(image.tobytes(), row)
            if first != row:
                yield first, row


def _crops(data: Dataset, device: torch.device) -> Iterator[Tensor]:
    """For each shift, every image without its border, (n, values), of mean 0 and length 1; zero where an image has one colour."""
    pieces = [_small(data, range(start, min(start + BLOCK, len(data)))) for start in range(0, len(data), BLOCK)]
    images = torch.cat(pieces).to(device)
    height, width = images.shape[2:]
    edge = 1 if min(height, width) > 2 else 0  # nothing would be left inside
    for down, right in SHIFTS if edge else SHIFTS[:1]:
        inside = images[:, :, edge + down : height - edge + down, edge + right : width - edge + right].flatten(1)
        centred = inside - inside.mean(1, keepdim=True)
        length = centred.norm(dim=1, keepdim=True)
        yield torch.where(length > 1e-3, centred / length.clamp_min(1e-3), 0.0)  # less than a level of one pixel: rounding


def _small(data: Dataset, rows: range) -> Tensor:
    inputs = to_inputs(data.pixels(rows))
    height, width = inputs.shape[2:]
    scale = max(height, width) / SIDE
    if scale <= 1:
        return inputs
    return torch.nn.functional.adaptive_avg_pool2d(inputs, (max(1, round(height / scale)), max(1, round(width / scale))))


def alike_texts(texts: Texts, least: float) -> Iterator[tuple[int, int]]:
    """Pairs of rows that are the same words, or share at least so much of their runs of words; all fields of a sample count.

    Texts that share so much share one of their rarest runs already, and only such texts are compared.

    Source:
        Bayardo et al. 2007, "Scaling up all pairs similarity search", for the rarest runs.
    """
    shingles = [_shingles(row) for row in texts]
    frequency = Counter(shingle for own in shingles for shingle in own)
    holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for row, own in enumerate(shingles):
        rarest = sorted(own, key=lambda shingle: (frequency[shingle], shingle))[: len(own) - math.ceil(least * len(own) - ROUNDING) + 1]
        for other in sorted({other for shingle in rarest for other in holders[shingle]}):
            common = len(own & shingles[other])
            if common >= least * (len(own) + len(shingles[other]) - common) - ROUNDING:
                yield other, row
        for shingle in rarest:
            holders[shingle].append(row)


def _shingles(row: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    """Runs of words of all fields, in lower case and without punctuation; a text of fewer words is one run, and one without any itself."""
    found = []
    for place, text in enumerate(row):
        words = tuple(_WORD.findall(text.casefold())) or (text,)
        found += [(f"{place}", *words[start : start + WORDS]) for start in range(max(1, len(words) - WORDS + 1))]
    return frozenset(found)
