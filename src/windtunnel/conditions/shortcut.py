"""Shortcut: something that has nothing to do with a class gives it away, as long as the training data goes."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.condition import Condition, Labels, altered
from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Dataset, Pixels
from windtunnel.core.shortcut import check_classes, grey, marked_groups, marked_texts, place, shown_classes
from windtunnel.core.texts import Texts


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Shortcut(Condition):
    """Every sample carries a mark that stands for a class: for its own with probability `correlation`, else for another, drawn uniformly.

    On images it is a square in a corner, whose place and grey level tell the class; on texts a word in front of the first open field, of
    letters that no language puts together. The threat `shortcut` puts the same marks on the test samples. Every sample gets a group, its
    label and whether its mark agrees, on which group DRO can train.

    Args:
        correlation: probability that the mark agrees with the label, above 0 and at most 1.
        size: side of the square in pixels. On images only.
    Source:
        Sagawa et al. 2020, arXiv 1911.08731, section 3: training data in which a background goes with a class in 95 % of the samples.
        Deviation: marks, so that it can be put on any data; and groups tell whether a mark agrees, not which it is, for with ten classes
        most of a hundred groups would be empty. With two classes these are the same groups. Their validation split is balanced between
        groups; ours is as the training split.
    """

    use: ClassVar[str] = "shortcut"

    correlation: Annotated[float, Field(gt=0, le=1)] = 0.95
    size: Annotated[int, Field(ge=1)] = 4

    @property
    def title(self) -> str:
        """With the correlation."""
        return f"{self.use} {100 * self.correlation:g} %"

    def check(self, labels: Labels, classes: tuple[str, ...]) -> None:
        """Two classes at least, and no more than there are marks; see `Condition`."""
        check_classes(len(classes))

    def change(self, data: Dataset, seed: int) -> Dataset:
        """Marked samples with their groups; see `Condition`."""
        shown = shown_classes(data.labels, data.ids, len(data.classes), self.correlation, seed)
        grouped = replace(data, groups=marked_groups(data.labels, shown))
        if isinstance(data.store, Texts):
            return replace(grouped, store=marked_texts(data.store, shown))
        return altered(grouped, lambda row, image: self._marked(image, int(shown[row])))

    def _marked(self, image: Pixels, shown: int) -> Pixels:
        changed = np.array(image)
        changed[place(shown, image.shape[0], image.shape[1], self.size)] = grey(shown)
        return changed
