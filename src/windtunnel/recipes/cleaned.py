"""Cleaning a training split before it is trained on, and what of its frozen features stays true. Imports torch."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

import torch
from torch import Tensor

from windtunnel.core.cleaning import Cleaned
from windtunnel.core.dataset import Dataset
from windtunnel.core.network import Network
from windtunnel.core.recipe import Finetuning
from windtunnel.recipes.order import validation_batches
from windtunnel.recipes.supervised import Supervised

SHOWN: Final = 50
"""Ids of suspected samples that a record lists at most, for each cleaning; ours."""


def cleaned(recipe: Supervised, work: Finetuning) -> tuple[Finetuning, Mapping[str, Any]]:
    """The work after every cleaning of a recipe, and notes of what they did.

    Only the training split is cleaned: the validation split stays as bad as it is found, and nobody may clean a test.
    """
    told = []
    for cleaning in recipe.clean:
        found = cleaning.clean(work)
        told.append(_told(cleaning.use, work.train, found))
        work = dataclasses.replace(work, train=found.data, features=_features_after(work, found))
    return work, {"cleaning": told} if told else {}


def _told(use: str, before: Dataset, found: Cleaned) -> dict[str, Any]:
    """Counts, and the first suspected ids, of one cleaning."""
    labels = dict(zip(before.ids, before.labels.tolist(), strict=True))
    relabelled = sum(labels[name] != label for name, label in zip(found.data.ids, found.data.labels.tolist(), strict=True))
    return {
        "use": use,
        "before": len(before),
        "dropped": len(before) - len(found.data),
        "relabelled": relabelled,
        "suspected": len(found.suspected),
        "ids": list(found.suspected[:SHOWN]),
        **found.notes,
    }


def _features_after(work: Finetuning, found: Cleaned) -> Callable[[Dataset], Tensor]:
    """Frozen features of what a cleaning left.

    Features are kept by the ids of a whole split. Those of the samples that are left are rows of those of the split before; where inputs
    were rewritten under their old ids, they are computed here and not kept.
    """

    @cache
    def rewritten() -> Tensor:
        network = Network(work.model, 1).to(work.device).eval()
        with torch.no_grad():
            return torch.cat([network.features(piece.inputs).cpu() for piece in validation_batches(found.data, work.device)()])

    def features(data: Dataset) -> Tensor:
        if data is not found.data:
            return work.features(data)
        if found.rewritten:
            return rewritten()
        places = {name: row for row, name in enumerate(work.train.ids)}
        return work.features(work.train)[[places[name] for name in data.ids]]

    return features
