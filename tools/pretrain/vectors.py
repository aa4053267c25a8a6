"""Word vectors from counts: where the embeddings of tokens start."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.utils.extmath import randomized_svd

WINDOW = 8  # tokens on each side; ours, wide as the lines are short
SMOOTHING = 0.75  # exponent on the counts of contexts: Levy, Goldberg and Dagan 2015, TACL 3, section 3.2
SCALE = 0.05  # root mean square of an entry; ours, about that of trained BERTs

Vectors = npt.NDArray[np.float32]


def count_pairs(lines: Sequence[Sequence[int]], tokens: int) -> sparse.csr_matrix:
    """Count how often two tokens stand within `WINDOW` of each other in a line, (token, token)."""
    flat = np.concatenate([np.asarray(line) for line in lines])
    owner = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    counts = sparse.csr_matrix((tokens, tokens))
    for distance in range(1, WINDOW + 1):
        near = owner[:-distance] == owner[distance:]
        pairs = (flat[:-distance][near], flat[distance:][near])
        counts = counts + sparse.coo_matrix((np.ones(int(near.sum())), pairs), shape=counts.shape).tocsr()
    return counts + counts.T


def factorise(counts: sparse.csr_matrix, width: int, seed: int) -> Vectors:
    """Return a vector for each token: the positive pointwise mutual information of pairs, factorised to `width` dimensions.

    Source:
        Levy, Goldberg and Dagan 2015, TACL 3, "Improving distributional similarity with lessons learned from word embeddings":
        sections 2.2 and 3.3, singular values to the power 1/2, vectors of equal length.
    """
    table = counts.tocoo()
    mine, theirs = (np.asarray(counts.sum(axis=axis)).ravel() for axis in (1, 0))
    smooth = theirs**SMOOTHING
    information = np.log(table.data) - np.log(mine[table.row]) - np.log(smooth[table.col] / smooth.sum())
    positive = sparse.csr_matrix((np.maximum(information, 0), (table.row, table.col)), shape=table.shape)
    left, values, _ = randomized_svd(positive, width, random_state=seed)
    found = left * np.sqrt(values)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    return (found / np.maximum(lengths, 1e-9) * SCALE * np.sqrt(width)).astype(np.float32)
