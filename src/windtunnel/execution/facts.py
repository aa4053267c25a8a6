"""Facts: what is known of data and weights without loading them, remembered in the store by a cheap stamp."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from windtunnel.core import canonical
from windtunnel.core.dataset import DataSource, Splits
from windtunnel.core.modality import IMAGE
from windtunnel.core.model import Model, ModelSource
from windtunnel.core.recipe import Material
from windtunnel.errors import DataError, suggest
from windtunnel.execution.store import Store
from windtunnel.provenance import versions

FILE = "facts.json"


@dataclass(frozen=True)
class DataFacts:
    """What planning needs to know of a loaded data set.

    Args:
        fingerprint: sha256 over all of it.
        classes: class names.
        audit: what was found and removed.
        ids: split -> sample ids.
        labels: split -> class indices.
    """

    fingerprint: str
    classes: tuple[str, ...]
    audit: Mapping[str, Any]
    ids: Mapping[str, tuple[str, ...]]
    labels: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, splits: Splits) -> DataFacts:
        """The facts of data that has just been loaded."""
        first = next(iter(splits.splits.values()))
        return cls(
            splits.fingerprint,
            first.classes,
            splits.audit.as_dict(),
            {name: data.ids for name, data in splits.splits.items()},
            {name: tuple(data.labels.tolist()) for name, data in splits.splits.items()},
        )

    def split(self, name: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """Ids and labels of one split.

        Raises:
            DataError: there is no such split.
        """
        if name not in self.ids:
            raise DataError(f"There is no split {name!r}. {suggest(name, self.ids)}")
        return self.ids[name], self.labels[name]


@dataclass(frozen=True)
class ModelFacts:
    """What planning and records need to know of a model.

    Args:
        weights_sha256: digest over all its tensors.
        features: width of the features.
        parameters: parameters of the backbone.
        preprocessing: what the weights expect.
        layers: name of each module of the backbone that has parameters of its own -> its kind.
        blocks: names of its blocks.
    """

    weights_sha256: str
    features: int
    parameters: int
    preprocessing: Mapping[str, Any]
    layers: Mapping[str, str] = field(default_factory=dict)
    blocks: tuple[str, ...] = ()

    @property
    def modality(self) -> str:
        """What the network takes."""
        return str(self.preprocessing.get("modality", IMAGE))

    @classmethod
    def of(cls, model: Model) -> ModelFacts:
        """The facts of a model that has just been loaded."""
        from windtunnel.recipes.scopes.blocks import structure

        layers, blocks = structure(model.backbone)
        return cls(model.weights_sha256, model.features, model.parameters, model.preprocessing.as_dict(), layers, blocks)


def material(model: str, data: str, layers: Mapping[str, str], blocks: tuple[str, ...], train: Sequence[int], classes: int, val: int) -> Material:
    """What a recipe is asked about before anything is computed.

    Args:
        train: labels of the training samples.
    """
    counts = Counter(train)
    return Material(model, data, layers, blocks, tuple(counts[label] for label in range(classes)), val)


def address(source: DataSource | ModelSource) -> str:
    """The key under which a source's facts are remembered; changes whenever loading could give something else."""
    libraries = source.computed_with if isinstance(source, ModelSource) else source.libraries
    return canonical.sha256({"facts": 2, "source": source.describe(), "stamp": source.stamp(), "libraries": versions(libraries)})


class Facts:
    """Facts remembered in a store; each address is read once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, dict[str, Any] | None] = {}

    def data(self, source: DataSource) -> DataFacts | None:
        """Facts of a data set, or None if it was never loaded as it is now."""
        body = self._read(address(source))
        if body is None:
            return None
        return DataFacts(
            body["fingerprint"],
            tuple(body["classes"]),
            body["audit"],
            {name: tuple(ids) for name, ids in body["ids"].items()},
            {name: tuple(labels) for name, labels in body["labels"].items()},
        )

    def model(self, source: ModelSource) -> ModelFacts | None:
        """Facts of a model, or None if it was never loaded as it is now."""
        body = self._read(address(source))
        return None if body is None else ModelFacts(**{**body, "blocks": tuple(body["blocks"])})

    def forget(self) -> None:
        """Read anew from the store from now on."""
        self._known.clear()

    def _read(self, key: str) -> dict[str, Any] | None:
        if key not in self._known:
            entry = self._store.read(key)
            self._known[key] = None if entry is None else entry.json(FILE)
        return self._known[key]


def remember(store: Store, source: DataSource | ModelSource, facts: DataFacts | ModelFacts, seconds: float) -> None:
    """Write the facts of a source that has just been loaded."""
    store.write(address(source), {FILE: canonical.dumps(asdict(facts)).encode()}, seconds)
