"""Bootstrap over samples for figures without a closed form, keyed so that it is the same on every run."""

from __future__ import annotations

from collections.abc import Iterator

from windtunnel.core.outcome import Ints
from windtunnel.seeding import generator

RESAMPLES = 500

# Bounds the memory of one piece of resampled indices to some 30 MB.
_PIECE = 4_000_000


def resamples(name: str, samples: int, width: int = 0) -> Iterator[Ints]:
    """Indices drawn with replacement, in pieces of shape (draw, sample), RESAMPLES draws in all.

    Args:
        name: what they are for; keys the draws together with the number of samples.
        samples: number of samples to draw from.
        width: further values that the caller keeps for each draw, to bound its memory.
    """
    source = generator("bootstrap", name, samples)
    step = max(1, _PIECE // (samples + width))
    for start in range(0, RESAMPLES, step):
        yield source.integers(0, samples, size=(min(step, RESAMPLES - start), samples))
