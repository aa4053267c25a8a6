"""Cleaning: what is done about bad training samples before they are trained on, as a part of a recipe."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from windtunnel.core.part import Part

if TYPE_CHECKING:
    from windtunnel.core.dataset import Dataset
    from windtunnel.core.recipe import Finetuning


@dataclass(frozen=True)
class Cleaned:
    """What a cleaning leaves of a training split.

    Args:
        data: the samples that are left, some perhaps with other labels or inputs.
        suspected: ids of all that it took for bad, whatever it did to them.
        notes: what else is to be known, as plain data; it is shown in the record.
        rewritten: whether inputs are others than they were under the same id, so that features kept by id are not theirs.
    """

    data: Dataset
    suspected: tuple[str, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)
    rewritten: bool = False


class Cleaning(Part, ABC):
    """Looks for bad samples in the training split, once, before anything is trained."""

    reads_features: ClassVar[bool] = False
    """Whether it asks for the frozen features of the split."""

    @abstractmethod
    def clean(self, work: Finetuning) -> Cleaned:
        """What is left of `work.train`; the other splits are not looked at.

        Raises:
            RecipeError: the data cannot be cleaned this way.
        """
