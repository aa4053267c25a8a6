"""Carrying out a composed recipe: its stages one after the other, on inputs or on features that are computed once. Imports torch."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from windtunnel.core.dataset import Dataset
from windtunnel.core.network import Network
from windtunnel.core.part import Fitting, Hooks, Minibatch, Part
from windtunnel.core.recipe import Finetuned, Finetuning, Material
from windtunnel.errors import RecipeError
from windtunnel.recipes.checkpointing import checkpointed
from windtunnel.recipes.cleaned import cleaned
from windtunnel.recipes.heads import Heads
from windtunnel.recipes.optimizer import FUSED
from windtunnel.recipes.order import EVALUATION_BATCH, Batches, order, steps_of, training_batches, validation_batches
from windtunnel.recipes.resume import Past, Resume
from windtunnel.recipes.scopes.blocks import depths, structure
from windtunnel.recipes.supervised import Supervised
from windtunnel.recipes.training import Loop, Trained, snapshot

AT_ONCE = 1 << 25
"""Weights of heads that are trained as one at most: with slopes and moments, 512 MB."""


def carry_out(recipe: Supervised, work: Finetuning) -> Finetuned:
    """What a recipe leaves of `work`.

    Raises:
        RecipeError: data that cannot train a classifier, a network that lacks what a part needs, or divergence.
    """
    work, notes = cleaned(recipe, work)
    check_material(work.train, work.val)
    done = carry_on(recipe, work, _fresh(recipe, work), fresh=True)
    return dataclasses.replace(done, notes={**notes, **done.notes})


def carry_out_together(recipes: Sequence[Supervised], work: Finetuning) -> Iterator[Finetuned | None]:
    """What each of some recipes leaves that train a head alone and have `together` in common; None for one to be carried out alone.

    That is one that diverges, which then says in which epoch; and each on a device on which the optimiser of a single head is not the fused one.
    """
    if work.device.type not in FUSED:
        yield from (None for _ in recipes)
        return
    work, notes = cleaned(recipes[0], work)
    check_material(work.train, work.val)
    network = _fresh(recipes[0], work)
    _check_parts(recipes[0].parts(), work, network)
    [(name, phase)] = recipes[0].phases()
    stage = _Stage("", name, phase, network, work, None)
    rest = snapshot(network)
    size = max(1, AT_ONCE // network.head.weight.numel())
    for trained in (each for start in range(0, len(recipes), size) for each in stage.of_heads(recipes[start : start + size])):
        if trained is None:
            yield None
            continue
        trained.best, trained.last = {**rest, **trained.best}, {**rest, **trained.last}
        own = network.with_own_head()
        own.load_state_dict(trained.best)
        yield Finetuned(own, trained.best, trained.last, trained.best_epoch, tuple(trained.curves), notes)


def _fresh(recipe: Supervised, work: Finetuning) -> Network:
    seed = work.seed if recipe.head_seed is None else recipe.head_seed
    return Network(work.model, len(work.train.classes), dropout=recipe.dropout, seed=seed).to(work.device)


def carry_on(recipe: Supervised, work: Finetuning, network: Network, *, fresh: bool = False) -> Finetuned:
    """The same from a network that has been trained before, unless it is fresh: its features are then those of the model."""
    phases = list(recipe.phases())
    parts = [part for _, phase in phases for part in phase.parts()]
    _check_parts(parts, work, network)
    origin = copy.deepcopy(network) if any(part.needs_start for part in parts) else None
    resume = Resume.of(work.checkpoint)
    past = resume.past
    kept = fresh
    for number, (name, phase) in enumerate(phases):
        kept = kept and phase.scope.keeps_backbone  # else its features are no longer those of the model
        if number < resume.stage:
            if phase.scope.stays:
                phase.scope.insert(network, work.seed)  # its state is put back with the network's
            continue
        running = _Stage(f"{number}" if _repeated(phases, name) else "", name, phase, network, work, origin)
        trained = running.on_features(resume, number, past) if kept and phase.on_features else running.on_inputs(resume, number, past)
        past.curves += trained.curves
        if trained.pieces > phase.accumulate:
            past.parts[running.name] = trained.pieces
    network.eval()
    notes = {"memory": {name: f"worked through in {count} parts" for name, count in past.parts.items()}} if past.parts else {}
    return Finetuned(network, trained.best, trained.last, trained.best_epoch, tuple(past.curves), notes)


def _check_parts(parts: Iterable[Part], work: Finetuning, network: Network) -> None:
    layers, blocks = structure(network.backbone)
    counts = tuple(np.bincount(work.train.labels, minlength=len(work.train.classes)).tolist())
    for part in parts:
        part.check(Material(work.model.name, work.train.name, layers, blocks, counts, len(work.val)))
        part.require()


def _repeated(phases: Sequence[tuple[str, Supervised]], name: str) -> bool:
    return [each for each, _ in phases].count(name) > 1


@dataclass(frozen=True)
class _Stage:
    """One stage that is about to run."""

    suffix: str
    title: str
    phase: Supervised
    network: Network
    work: Finetuning
    origin: Network | None

    @property
    def name(self) -> str:
        """Its name, which keys its draws: stages of the same name are numbered."""
        return f"{self.title} {self.suffix}".rstrip()

    def on_inputs(self, resume: Resume, number: int, past: Past) -> Trained:
        """Train through the backbone."""
        phase, network, work = self.phase, self.network, self.work
        phase.scope.insert(network, work.seed)
        network.to(work.device)
        batches = training_batches(network, work.train, phase.batch, work.seed, work.device)
        fitting = self._fitting(network, validation_batches(work.val, work.device))
        with checkpointed(network, on=phase.checkpointing):
            trained = self._run(fitting, batches, resume, number, past)
        if not phase.scope.inserts:
            return trained
        last = copy.deepcopy(network)
        last.load_state_dict(trained.last)
        for each in (last, network):
            phase.scope.merge(each)
        trained.best, trained.last = snapshot(network), snapshot(last)
        return trained

    def on_features(self, resume: Resume, number: int, past: Past) -> Trained:
        """Train the head on features that are computed once; the backbone stays in evaluation mode."""
        work, head = self.work, self.network.without_backbone()
        train, val = (_Features.of(work, data) for data in (work.train, work.val))
        trained = self._run(self._fitting(head, val.in_order), train.batches(self.phase.batch, work.seed), resume, number, past)
        rest = snapshot(self.network)
        trained.best, trained.last = {**rest, **trained.best}, {**rest, **trained.last}
        return trained

    def of_heads(self, recipes: Sequence[Supervised]) -> list[Trained | None]:
        """Train the head on the same features by each of some recipes."""
        train, val = (_Features.of(self.work, data) for data in (self.work.train, self.work.val))
        fitting = self._fitting(self.network.without_backbone(), val.in_order)
        return Heads(fitting, recipes, self.phase.loss.begin(fitting), train.batches(self.phase.batch, self.work.seed)).run()

    def _fitting(self, network: Network, validation: Callable[[], Iterator[Minibatch]]) -> Fitting:
        phase, work = self.phase, self.work
        epochs = max(1, round(phase.epochs / phase.replays))
        steps, start = steps_of(len(work.train), phase.batch) * phase.replays, {} if self.origin is None else self.origin.state_dict()
        backward = torch.Tensor.backward
        return Fitting(
            network, work.train, work.val, work.seed, work.device, self.name, epochs, steps, start, validation, backward, origin=self.origin
        )

    def _run(self, fitting: Fitting, batches: Batches, resume: Resume, number: int, past: Past) -> Trained:
        phase, network = self.phase, fitting.network
        fitting.hooks = hooks(phase, fitting)

        def moving(epoch: int) -> list[nn.Parameter]:
            return [*phase.scope.parameters(network, epoch, fitting.epochs), *network.head.parameters()]

        away = depths(self.network) if phase.layer_decay < 1 else {}
        judge = phase.select.begin(fitting, phase.perturb)
        loop = Loop(fitting, phase, phase.loss.begin(fitting), judge, batches, moving, away, self.work.progress, self.work.watch)
        done = resume.put_back(loop) if number == resume.stage else 0
        return loop.run(done, lambda epoch: resume.keep(loop, number, epoch, past))


def hooks(phase: Supervised, fitting: Fitting) -> tuple[Hooks, ...]:
    """What the parts of a stage do, in the order of the recipe's arguments."""
    tricks = (*phase.augment, *phase.regularise, phase.perturb, phase.average)
    return tuple(trick.begin(fitting) for trick in tricks if trick is not None)


@dataclass(frozen=True)
class _Features:
    """Frozen features of one split, on the training device."""

    inputs: Tensor
    labels: Tensor
    ids: tuple[str, ...]

    @classmethod
    def of(cls, work: Finetuning, data: Dataset) -> _Features:
        return cls(work.features(data).to(work.device), torch.from_numpy(data.labels).to(work.device), data.ids)

    def batches(self, batch: int, seed: int) -> Batches:
        return lambda epoch: (self._at(rows) for rows in order(len(self.ids), batch, seed, epoch))

    def in_order(self) -> Iterator[Minibatch]:
        for start in range(0, len(self.ids), EVALUATION_BATCH):
            yield self._at(np.arange(start, min(start + EVALUATION_BATCH, len(self.ids))))

    def _at(self, rows: np.ndarray) -> Minibatch:
        place = torch.from_numpy(rows).to(self.inputs.device)
        return Minibatch(self.inputs[place], self.labels[place], tuple(map(self.ids.__getitem__, rows.tolist())))


def check_material(train: Dataset, val: Dataset) -> None:
    """Refuse data that cannot train a classifier.

    Raises:
        RecipeError: an empty split, or a training split of a single class.
    """
    for data in (train, val):
        if not len(data):
            raise RecipeError(f"{data.name} is empty; a recipe needs a training and a validation split.")
    if len(np.unique(train.labels)) < 2:
        raise RecipeError(f"{train.name} holds a single class; fine-tuning a classifier needs at least two.")
