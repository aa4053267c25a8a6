"""Workbench: what a worker process does with one piece of work. Imports torch."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import nn

from windtunnel.core import canonical
from windtunnel.core.batch import Batch
from windtunnel.core.classes import output_names
from windtunnel.core.dataset import Dataset, DataSource, Splits
from windtunnel.core.modalities import modality_of
from windtunnel.core.model import ModelSource
from windtunnel.core.network import Network, tensors_sha256
from windtunnel.core.reader import Reader
from windtunnel.core.recipe import Epoch, Finetuned, Finetuning, Recipe, together, unseen
from windtunnel.core.streaming import Piece, stream
from windtunnel.core.threat import MICRO_BATCH, Threat
from windtunnel.core.victim import Victim
from windtunnel.errors import RecipeError, StoreError, WindtunnelError
from windtunnel.execution import recording, victims
from windtunnel.execution.facts import DataFacts, ModelFacts, remember
from windtunnel.execution.partial import EVERY, Partial
from windtunnel.execution.store import Entry, Store
from windtunnel.execution.work import Evaluate, Finetune, Samples, member_of

FEATURES = "features.safetensors"

LARGEST_COPY = 1 << 26
"""Corrupted copies above 64 MiB are made anew for each victim rather than kept: memory does not grow with the number of samples."""

Advance = Callable[[int, int], None]
Watch = Callable[[Epoch], None]


@dataclass(frozen=True)
class Begun:
    """A fine-tuning that is about to be carried out.

    Args:
        material: what the recipe works on.
        facts: about the model as it is before, for the record.
        marks: of the tensors that it has before.
    """

    material: Finetuning
    facts: Mapping[str, object]
    marks: victims.Marks


class Workbench:
    """Loads, fine-tunes and evaluates, keeping the last data and victim at hand.

    Args:
        store: where entries are read and written.
        device: "auto", "cpu", "cuda", "cuda:1" or "mps".
        threads: CPU threads of one cell.
        checkpoint_every: seconds after which a fine-tuning keeps what it would go on from.
    """

    def __init__(self, store: Store, device: str = "auto", threads: int = 1, checkpoint_every: float = EVERY) -> None:
        self.store = store
        self.checkpoint_every = checkpoint_every
        self.device = pick_device(device)
        torch.set_num_threads(threads)
        torch.backends.cudnn.benchmark = False
        torch.use_deterministic_algorithms(True, warn_only=True)
        self._data: dict[str, Splits] = {}
        self._victim: tuple[str, Victim] | None = None

    def prepare(self, source: DataSource | ModelSource) -> None:
        """Load a source once, to learn the facts that keys are made of."""
        started = time.perf_counter()
        facts = DataFacts.of(self.splits(source)) if isinstance(source, DataSource) else ModelFacts.of(source.load())
        remember(self.store, source, facts, time.perf_counter() - started)

    def splits(self, source: DataSource) -> Splits:
        """A data set, loaded once."""
        name = canonical.dumps(source.describe())
        if name not in self._data:
            self._data[name] = source.load()
        return self._data[name]

    def dataset(self, samples: Samples) -> Dataset:
        """The samples of one evaluation or training."""
        assert samples.indices is not None, "work is handed out only when its data is known"
        return self.splits(samples.data.source)[samples.data.split].take(samples.indices)

    def finetune(self, work: Finetune, advance: Advance, watch: Watch = unseen) -> None:
        """Fine-tune and store the victim with its record, unless that was done meanwhile for a recipe that is made of it."""
        with self.store.lock(work.cell.key):
            if self.store.read(work.cell.key) is not None:
                return
            started = time.perf_counter()
            train, val = self._training_data(work)
            kept = Partial(self.store, work.cell.key, self.checkpoint_every)
            begun = self._begin(work, train, val)
            done = work.recipe.finetune(dataclasses.replace(begun.material, progress=advance, checkpoint=kept, watch=watch))
            self._keep(work, done, val, begun, time.perf_counter() - started)
            kept.remove()

    def _keep(self, work: Finetune, done: Finetuned, val: Dataset, begun: Begun, seconds: float) -> None:
        record = recording.finetuned(work.cell, done, val, {**begun.facts, "victim_sha256": tensors_sha256(done.best)})
        self.store.write(work.cell.key, {**recording.files(record), **victims.files(done, begun.marks)}, seconds)

    def _announced(self, work: Finetune, members: Sequence[tuple[Recipe, int]]) -> None:
        """Of the members that are about to be asked for and are not in the store, make those that can be made as one."""
        made = [member_of(work, recipe, seed, self.splits(work.data).any.classes) for recipe, seed in members]
        missing = [each for each in made if not self.store.has(each.cell.key)]
        for places in together([(each.recipe, each.seed) for each in missing]):
            self._finetune_together([missing[place] for place in places])

    def _finetune_together(self, members: Sequence[Finetune]) -> None:
        """Fine-tune and store; what fails is left to be carried out alone, which says why."""
        started = time.perf_counter()
        train, val = self._training_data(members[0])
        begun = self._begin(members[0], train, val)
        with contextlib.suppress(RecipeError):
            found = members[0].recipe.finetune_together([each.recipe for each in members], begun.material)
            for member, done in zip(members, found, strict=True):
                if done is not None:
                    self._keep(member, done, val, begun, time.perf_counter() - started)
                started = time.perf_counter()

    def _member(self, work: Finetune, recipe: Recipe, seed: int) -> Finetuned:
        """What another recipe leaves on the material of `work`: out of the store, where it is put if it was not there."""
        member = member_of(work, recipe, seed, self.splits(work.data).any.classes)
        self.finetune(member, lambda done, total: None)
        entry = self._intact(member.cell.key)
        network, best, last = self._network(member, entry)
        return recording.restored(entry.json(recording.RECORD), network, best, last)

    def _training_data(self, work: Finetune) -> tuple[Dataset, Dataset]:
        """Training and validation split under the condition of the work; both empty for a recipe that does not train.

        The test split, by which an oracle selects, is as it is under every condition.
        """
        splits = self.splits(work.data)
        if work.train is None or work.val is None:
            empty = splits.any.take(())
            return empty, empty
        train, val = self.dataset(work.train), self.dataset(work.val)
        if work.condition is None:
            return train, val
        return work.condition.apply(train, "train", work.seed), work.condition.apply(val, "val", work.seed) if work.val.data.split == "val" else val

    def _begin(self, work: Finetune, train: Dataset, val: Dataset) -> Begun:
        """Load the model that a recipe works on."""
        model = work.model.load()
        facts = {**dataclasses.asdict(ModelFacts.of(model)), "identity": work.model.identity(), "device": self.device.type}
        model.backbone.to(self.device)

        def features(data: Dataset) -> torch.Tensor:
            return self._features(model.weights_sha256, Network(model, 1).to(self.device), data, work.cell.content)

        if cut := truncated(model.backbone, train):
            facts["truncated"] = cut
        member, announce = partial(self._member, work), partial(self._announced, work)
        material = Finetuning(model, train, val, work.seed, self.device, features, member=member, announce=announce)
        return Begun(material, facts, victims.marks(model.backbone))

    def evaluate(self, work: Evaluate) -> None:
        """Put a stored victim through a threat and store the record."""
        classes = self.splits(work.samples.data.source).any.classes
        victim = self.victim(work).on(classes)
        surrogate = None if work.surrogate is None else self._load(work.surrogate, work.cell.needs[1]).on(classes)
        if work.threat.adaptive:
            outcome = work.threat(victim, self.dataset(work.samples).batch(), seed=work.seed, surrogate=surrogate)
        else:
            outcome = stream(work.threat, victim, self._pieces(work), work.seed)
        record, table = recording.evaluated(work.cell, outcome, victim.classes, truncated(victim.module, self.dataset(work.samples)))
        self.store.write(work.cell.key, recording.files(record, table), outcome.cost.seconds)

    def victim(self, work: Evaluate) -> Victim:
        """The frozen classifier that the fine-tuning cell left.

        Raises:
            StoreError: its entry is gone or damaged.
        """
        key = work.cell.needs[0]
        if self._victim is None or self._victim[0] != key:
            self._victim = key, self._load(work.finetune, key)
        return self._victim[1]

    def _load(self, made: Finetune, key: str) -> Victim:
        network, *_ = self._network(made, self._intact(key))
        classes = output_names(network.head.out_features, self.splits(made.data).any.classes)
        return Victim(network, classes=classes, name=str(made.cell.labels))

    def _intact(self, key: str) -> Entry:
        entry = self.store.read(key)
        if entry is None:
            raise StoreError(f"The victim {key[:12]} is no longer intact in the store at {self.store.root}; run again to make it anew.")
        return entry

    def _network(self, made: Finetune, entry: Entry) -> tuple[Network, victims.State, victims.State]:
        """The network that a fine-tuning left, its state and the last one."""
        network = Network(made.model.load(), victims.classes(entry))
        made.recipe.rebuild(network)
        best, last = victims.put_in(network, entry)
        return network.to(self.device).eval(), best, last

    def _pieces(self, work: Evaluate) -> Iterator[Piece]:
        """The samples of an evaluation, a micro-batch at a time, with their corrupted copies where these are kept."""
        data = self.dataset(work.samples)
        copies = self._copies(work, data) if work.threat.family == "corruption" else {}
        for start in range(0, len(data), MICRO_BATCH):
            rows = range(start, min(start + MICRO_BATCH, len(data)))
            yield data.batch(rows), {level: data.modality.inputs(kept[rows.start : rows.stop]) for level, kept in copies.items()}

    def _copies(self, work: Evaluate, data: Dataset) -> dict[Fraction, Any]:
        """The corrupted data, computed once for all victims; none if that would be large."""
        threat, modality = work.threat, data.modality
        if modality.size(data) * len(threat.levels) > LARGEST_COPY:
            return {}
        content = work.cell.content or {}
        key = canonical.sha256({"copies": 1, **{name: content[name] for name in ("threat", "data", "seed", "libraries")}})
        with self.store.lock(key):
            entry = self.store.read(key)
            if entry is None:
                self.store.write(key, {modality.copies: modality.pack(perturb_all(threat, data.batch(), work.seed))})
                entry = self.store.read(key)
        assert entry is not None, "it was just written"
        kept = modality.unpack(entry.bytes(modality.copies))
        return {level: kept[canonical.fraction_text(level)] for level in threat.levels if level > 0}

    def _features(self, weights: str, network: Network, data: Dataset, content: Mapping[str, object] | None) -> torch.Tensor:
        """Frozen features of a split, computed once for a model and data."""
        content = content or {}
        model, computed = content.get("model"), {name: content.get(name) for name in ("threads", "precision", "libraries")}
        if "condition" in content:
            # Inputs may be others under the same ids, and others again with another seed.
            computed |= {name: content[name] for name in ("condition", "seed")}
        key = canonical.sha256({"features": 1, "weights": weights, "model": model, "ids": list(data.ids), "data": content.get("data"), **computed})
        with self.store.lock(key):
            entry = self.store.read(key)
            if entry is None:
                self.store.write(key, {FEATURES: save_tensors({"features": features(network, data, self.device)})})
                entry = self.store.read(key)
        assert entry is not None, "it was just written"
        return load_tensors(entry.bytes(FEATURES))["features"]


@torch.no_grad()
def features(network: Network, data: Dataset, device: torch.device) -> torch.Tensor:
    """Features of every sample in evaluation mode, on the CPU, (n, features)."""
    network.eval()
    pieces = [
        network.features(data.batch(np.arange(start, min(start + MICRO_BATCH, len(data))), device).inputs).cpu()
        for start in range(0, len(data), MICRO_BATCH)
    ]
    return torch.cat(pieces)


def truncated(module: nn.Module, data: Dataset) -> int:
    """How many texts of some data a network reads the beginning of only; 0 for images."""
    reader = next((part for part in module.modules() if isinstance(part, Reader)), None)
    return 0 if reader is None else reader.truncated(data.texts())


def perturb_all(threat: Threat[Any], batch: Batch[Any], seed: int) -> dict[str, Any]:
    """A blind threat's copies as they are kept, by the level's text; each verified."""
    blank = Victim.of(lambda inputs: torch.zeros(len(inputs), 1))  # blind threats never look at it
    modality, copies = modality_of(batch.inputs), {}
    for level in threat.levels:
        if level > 0:
            changed = modality.copy(batch.inputs)
            for start, piece in zip(range(0, len(batch), MICRO_BATCH), batch.chunks(MICRO_BATCH), strict=True):
                perturbed = threat.perturb(blank, piece, level, seed)
                modality.verify(threat, piece.inputs, perturbed, level, piece.ids)
                changed = modality.put(changed, range(start, start + len(piece)), perturbed)
            copies[canonical.fraction_text(level)] = modality.stored(changed)
    return copies


def pick_device(name: str) -> torch.device:
    """The device meant by "auto", or the one named.

    Raises:
        WindtunnelError: an accelerator that is not there.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise WindtunnelError("The runner asks for the device 'cuda', but torch sees none. Use `device: cpu` or `device: auto`.")
    return torch.device(name)
