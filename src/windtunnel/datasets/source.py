"""What every data source here shares: the arguments of its split, its stamp, and the way from raw samples to checked splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from pydantic.dataclasses import dataclass

from windtunnel import provenance
from windtunnel.core import canonical
from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import SPLITS, Dataset, DataSource, Indices, Splits
from windtunnel.datasets import splitting
from windtunnel.datasets.audit import examine
from windtunnel.datasets.content import Content, read_contents
from windtunnel.datasets.fingerprint import fingerprint
from windtunnel.datasets.splitting import DEFAULT_FRACTIONS, Fractions
from windtunnel.errors import DataError


@dataclass(frozen=True, kw_only=True, config=STRICT)
class SplittingSource(DataSource):
    """A data source that cuts the splits its data does not bring along.

    Args:
        fractions: shares of train, val and test where data comes as one whole; where it comes with a test split, the first
            two are the proportion in which val is cut from train. A share of 0 leaves a split out.
        seed: another seed is another split.
    """

    fractions: Fractions = DEFAULT_FRACTIONS
    seed: int = 0

    def evidence(self, *parts: str) -> str:
        """A stamp from the arguments, the versions of code and libraries, and `parts` (the state of files)."""
        versions = provenance.versions(self.libraries)
        return canonical.sha256([self.describe(), splitting.VERSION, versions, parts])

    def assemble(self, parts: Mapping[str, Dataset], excluded: Sequence[str] = (), missing: Sequence[str] = ()) -> Splits:
        """Check raw samples, remove duplicates, and only then cut the missing splits.

        Args:
            parts: the splits the data comes with; a lone "train" is the whole and is cut three ways.
            excluded: ids of samples that the source left out.
            missing: ids of rows without text or label, which were left out.
        Raises:
            DataError: an unreadable image, ids that are in two splits, or too few samples for a split.
        """
        _check_ids(self.title, parts)
        contents = {name: content for part in parts.values() for name, content in read_contents(part).items()}
        examination = examine(parts, self.likened(parts, contents))
        pools = {split: part.take(examination.kept[split]) for split, part in parts.items()}
        splits = self._cut(pools)
        named = {split: replace(splits[split], name=f"{self.title}[{split}]") for split in SPLITS if split in splits}
        _check_filled(self.title, named)
        found = examination.audit.found + len(excluded) + len(missing)
        audit = replace(examination.audit, found=found, excluded=tuple(excluded), missing=tuple(missing))
        return Splits(self.title, named, fingerprint(named, contents), audit)

    def likened(self, parts: Mapping[str, Dataset], contents: Mapping[str, Content]) -> Mapping[str, Content]:
        """The contents with the digests by which samples count as equal: over all of a sample, where a source says no more."""
        return contents

    def draw(self, train: Dataset, shares: Mapping[str, Fraction]) -> dict[str, Indices]:
        """Rows of each split that is to be cut from `train`."""
        return splitting.stratified_split(train.labels, train.ids, shares, self.seed)

    def _cut(self, pools: Mapping[str, Dataset]) -> dict[str, Dataset]:
        """`pools`, with train cut into whatever is not there yet."""
        if "train" not in pools or "val" in pools:
            return dict(pools)
        train = pools["train"]
        wanted = splitting.shares(self.fractions, SPLITS if set(pools) == {"train"} else ("train", "val"))
        if not wanted:
            return dict(pools)
        others = {split: pool for split, pool in pools.items() if split != "train"}
        return others | {split: train.take(rows) for split, rows in self.draw(train, wanted).items()}


def _check_ids(title: str, parts: Mapping[str, Dataset]) -> None:
    seen: set[str] = set()
    for part in parts.values():
        both = seen.intersection(part.ids)
        if both:
            raise DataError(f"{title}: the sample {min(both)!r} is in two splits; every sample needs an id of its own.")
        seen.update(part.ids)


def _check_filled(title: str, splits: Mapping[str, Dataset]) -> None:
    for split, dataset in splits.items():
        if not len(dataset):
            sizes = ", ".join(f"{name} {len(part)}" for name, part in splits.items())
            raise DataError(f"{title} has no samples for {split!r} ({sizes}) after duplicates were removed; add data or change `fractions`.")
