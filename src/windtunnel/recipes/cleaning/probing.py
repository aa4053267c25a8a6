"""Out-of-sample probabilities by a cross-validated linear probe. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from windtunnel.seeding import digest

STEPS = 100
"""Iterations of L-BFGS at most; the probe of a fold is convex, and has settled by then."""


def out_of_sample(
    features: Tensor, labels: npt.NDArray[np.int64], ids: Sequence[str], classes: int, folds: int, decay: float, seed: int
) -> npt.NDArray[np.float64]:
    """How probable each class is for each sample, by a probe that was fitted to the other folds, (n, class).

    Args:
        features: (n, features).
        labels: (n,), as given.
        ids: key the folds, so that these do not depend on the order of the samples.
        decay: of the probe; see `probe`.
    """
    place = folds_of(labels, ids, folds, seed)
    inputs, given = features.detach().cpu().double(), torch.from_numpy(labels)
    found = np.zeros((len(labels), classes))
    for fold in range(folds):
        apart = torch.from_numpy(place == fold)
        if apart.any():
            found[place == fold] = probe(inputs[~apart], given[~apart], inputs[apart], classes, decay).numpy()
    return found


def folds_of(labels: npt.NDArray[np.int64], ids: Sequence[str], folds: int, seed: int) -> npt.NDArray[np.int64]:
    """The fold of each sample: of each class as many in every fold, up to one."""
    found = np.zeros(len(labels), dtype=np.int64)
    order = np.array(sorted(range(len(ids)), key=lambda row: digest(seed, "folds", ids[row])), dtype=np.int64)
    for label in np.unique(labels):
        held = order[labels[order] == label]
        found[held] = np.arange(len(held)) % folds
    return found


def probe(inputs: Tensor, labels: Tensor, others: Tensor, classes: int, decay: float) -> Tensor:
    """Class probabilities of `others` by multinomial logistic regression on `inputs`, both standardised by the latter, (others, class).

    Args:
        decay: strength of the L2 penalty on the weights, not on the bias.
    """
    mean, scale = inputs.mean(0), inputs.std(0, correction=0).clamp_min(1e-6)  # features that never vary stay at zero
    inputs, others = (inputs - mean) / scale, (others - mean) / scale
    weight = torch.zeros((inputs.shape[1], classes), dtype=inputs.dtype, requires_grad=True)
    bias = torch.zeros(classes, dtype=inputs.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=STEPS, tolerance_change=1e-12, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = torch.nn.functional.cross_entropy(inputs @ weight + bias, labels) + decay / 2 * weight.square().sum()
        value.backward()  # type: ignore[no-untyped-call]  # torch does not annotate it
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]  # as above
    with torch.no_grad():
        return (others @ weight + bias).softmax(1)
