"""Whole-word masking: what the network is shown, and what it shall restore."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

SHARE = 0.15  # of the words; this and the two below: Devlin et al. 2019, arXiv 1810.04805, section 3.1
TO_MASK = 0.8  # of the chosen words become [MASK]
TO_RANDOM = 0.1  # of the chosen words become random tokens; the rest stay


@dataclass(frozen=True)
class Vocabulary:
    """What masking needs to know of the tokens.

    Args:
        size: number of tokens.
        mask: index of [MASK].
        special: tokens that stay as they are, (size,).
        continues: tokens that go on with the word before them ("##ing"), (size,).
    """

    size: int
    mask: int
    special: Flags
    continues: Flags


def mask_words(ids: Ids, vocabulary: Vocabulary, rng: np.random.Generator) -> tuple[Ids, Flags]:
    """Hide words, all of their tokens together.

    Args:
        ids: token indices (batch, length).
        vocabulary: of the tokens.
        rng: what is drawn from.
    Returns:
        The indices with words hidden, and where a token is to be restored; both (batch, length).
    """
    ordinary = ~vocabulary.special[ids]
    word = np.cumsum(~vocabulary.continues[ids], axis=1) - 1
    rows = np.arange(len(ids))[:, None]
    chosen = (rng.random(ids.shape) < SHARE)[rows, word] & ordinary
    fate = rng.random(ids.shape)[rows, word]
    shown = np.where(chosen & (fate < TO_MASK), vocabulary.mask, ids)
    swapped = chosen & (fate >= TO_MASK) & (fate < TO_MASK + TO_RANDOM)
    return np.where(swapped, rng.integers(vocabulary.size, size=ids.shape), shown), chosen
