"""De-duplication: of samples that say the same, one is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.cleaning import Cleaned, Cleaning
from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Dataset
from windtunnel.core.texts import Texts

if TYPE_CHECKING:
    from windtunnel.core.recipe import Finetuning

SHOWN = 20
"""Groups of conflicting labels that a record lists at most; ours."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class DeDuplicate(Cleaning):
    """Of samples that are equal, or nearly so, the first is kept, and none where it is unknown which of several labels is right.

    Images are near duplicates if they correlate so much, as they are or moved by a pixel, whatever their brightness and contrast; larger
    ones are averaged down to 32 pixels a side before. Texts are, if they are the same in lower case and without punctuation, or share so much
    of their runs of three words. Who is near to a common third belongs together, too.

    Args:
        images: correlation from which on images are near duplicates.
        texts: runs of three words that two texts share, as a share of all that either has, from which on they are near duplicates.
        conflicts: which of them stays where labels differ: "drop": none; "majority": the first with the label that most of them carry, and
            none where there is no such label; "first": the first.
    Source:
        Lee et al. 2022, arXiv 2107.06499, section 4.2, for texts: the Jaccard index of word n-grams, at least 0.8; Barz and Denzler 2020,
        arXiv 1902.00423, for why images need it. Deviation: every pair is compared, without MinHash, by 3-grams instead of 5-grams since
        texts are short here; images by pixels and not by a network's features, which are alike for images that only show the like.
    """

    use: ClassVar[str] = "de-duplicate"

    images: Annotated[float, Field(gt=0, le=1)] = 0.995
    texts: Annotated[float, Field(gt=0, le=1)] = 0.8
    conflicts: Literal["drop", "majority", "first"] = "drop"

    def clean(self, work: Finetuning) -> Cleaned:
        """Groups of near duplicates, and one sample of each at most; see `Cleaning`."""
        from windtunnel.recipes.cleaning import likeness

        data = work.train
        if isinstance(data.store, Texts):
            pairs: Iterator[tuple[int, int]] = likeness.alike_texts(data.texts(), self.texts)
        else:
            pairs = likeness.alike_images(data, self.images, work.device)
        together = groups(pairs, len(data))
        kept = {group[0]: self._kept(data.labels[group].tolist()) for group in together}
        removed = {row for group in together for place, row in enumerate(group) if place != kept[group[0]]}
        conflicting = [group for group in together if len(set(data.labels[group])) > 1]
        notes = {
            "groups": len(together),
            "conflicting groups": len(conflicting),
            "conflicts": [_told(data, group, kept[group[0]]) for group in conflicting[:SHOWN]],
        }
        left = data.take([row for row in range(len(data)) if row not in removed])
        return Cleaned(left, tuple(data.ids[row] for row in sorted(removed)), notes)

    def _kept(self, labels: Sequence[int]) -> int | None:
        """Which of a group stays."""
        counts = Counter(labels).most_common(2)
        if len(counts) == 1 or self.conflicts == "first":
            return 0
        if self.conflicts == "drop" or counts[0][1] == counts[1][1]:
            return None
        return next(place for place, label in enumerate(labels) if label == counts[0][0])


def groups(pairs: Iterator[tuple[int, int]], count: int) -> list[list[int]]:
    """The groups of two and more that pairs of rows connect, each in ascending order."""
    leader = list(range(count))

    def first(row: int) -> int:
        while leader[row] != row:
            leader[row] = row = leader[leader[row]]
        return row

    for one, other in pairs:
        low, high = sorted((first(one), first(other)))
        leader[high] = low
    found: dict[int, list[int]] = {}
    for row in range(count):
        found.setdefault(first(row), []).append(row)
    return [group for group in found.values() if len(group) > 1]


def _told(data: Dataset, group: Sequence[int], kept: int | None) -> dict[str, Any]:
    """A group of conflicting labels, for the record."""
    return {
        "ids": [data.ids[row] for row in group],
        "labels": [data.classes[data.labels[row]] for row in group],
        "kept": None if kept is None else data.ids[group[kept]],
    }
