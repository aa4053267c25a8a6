"""Threat: one way to change inputs, behind one final `__call__` that trusts nobody."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar, Literal, final

import numpy as np

from windtunnel.core import suspicion
from windtunnel.core.batch import Batch
from windtunnel.core.budget import distances, tolerance
from windtunnel.core.canonical import fraction_text
from windtunnel.core.configured import Configured
from windtunnel.core.dataset import to_pixels
from windtunnel.core.flag import Flag
from windtunnel.core.outcome import Cost, Example, Outcome
from windtunnel.core.victim import Meter, Victim
from windtunnel.errors import BudgetError, DataError, VictimError

if TYPE_CHECKING:
    from torch import Tensor

MICRO_BATCH = 128
"""Samples perturbed at once; a property of the cell, so that who computes it changes nothing."""

EXAMPLES = 4
"""Samples shown before and after each threat."""

Family = Literal["clean", "attack", "corruption", "shift"]


class Threat(Configured, ABC):
    """One way to change inputs, with its levels (radii or severities), ascending.

    Subclasses are frozen dataclasses that write `perturb` and `levels`; everybody calls the threat itself, which verifies.
    `adaptive` threats may query the victim and are held to a norm ball; blind ones see the inputs only.
    """

    family: ClassVar[Family]
    adaptive: ClassVar[bool]
    modality: ClassVar[str] = "image"
    black_box: ClassVar[bool] = False

    @property
    @abstractmethod
    def levels(self) -> tuple[Fraction, ...]:
        """Radii or severities, ascending."""

    @property
    def measured_norm(self) -> str:
        """The norm in which changes are measured, and held for adaptive threats."""
        return str(getattr(self, "norm", "Linf"))

    @property
    def title(self) -> str:
        """The name under which the threat is shown."""
        return self.use

    @property
    def elsewhere(self) -> str | None:
        """Other data that the threat is evaluated on ("mnist5k[test]"); None for the benchmark's own."""
        return None

    @abstractmethod
    def passes(self) -> float:
        """A rough number of forward and backward passes a sample and level, for planning."""

    def cautions(self, classes: int, shape: tuple[int, ...]) -> tuple[Flag, ...]:
        """What the threat itself has to say about its numbers, e.g. parts of it that could not run.

        Args:
            classes: number of logits of the victim.
            shape: of one input, (channel, height, width).
        """
        return ()

    @abstractmethod
    def perturb(self, victim: Victim, batch: Batch, level: Fraction, seed: int) -> Tensor:
        """Changed inputs, same shape, in [0, 1]; draws keyed by (seed, sample id).

        Called with correctly classified samples only for adaptive threats, and never with level 0.
        """

    @final
    def __call__(
        self,
        victim: Victim,
        batch: Batch,
        *,
        seed: int = 0,
        micro_batch: int = MICRO_BATCH,
        copies: Mapping[Fraction, Tensor] | None = None,
        keep: bool = False,
    ) -> Outcome:
        """Perturb `batch` at every level, verify range, norm and victim, and report each sample's outcome.

        Adaptive threats leave misclassified samples alone, and a sample broken at one level stays broken at every larger one.

        Args:
            seed: keys the draws, with each sample's id.
            micro_batch: samples at once; moves logits by float rounding at most.
            copies: perturbed inputs of a blind threat computed earlier, by level.
            keep: keep the perturbed inputs of the largest level in the outcome.
        Raises:
            DataError: inputs outside [0, 1] or not finite.
            BudgetError: the threat left its norm ball or the range [0, 1]; its numbers would be worthless.
            VictimError: training mode, NaN logits, or labels beyond its classes.
        """
        started = time.perf_counter()
        with victim.frozen():
            run = _Run(self, victim, batch, seed, micro_batch)
            for level in self.levels:
                run.level(level, copies)
            return run.outcome(time.perf_counter() - started, keep)


@dataclass
class _State:
    """What is known of each sample so far."""

    inputs: Tensor
    predicted: np.ndarray
    confidence: np.ndarray


class _Run:
    """One evaluation in progress."""

    def __init__(self, threat: Threat, victim: Victim, batch: Batch, seed: int, micro_batch: int) -> None:
        check_inputs(batch)
        victim.refuse_training()
        self.threat, self.victim, self.seed, self.micro_batch = threat, victim, seed, micro_batch
        self.batch = batch.to(victim.device)
        self.meter_before = Meter(victim.meter.forward, victim.meter.backward)
        self.buffers = suspicion.buffers(victim)
        self.labels = batch.labels.cpu().numpy()
        self.classes = 0
        predicted, confidence = self._answers(self.batch.inputs)
        self.clean = predicted.copy()
        self.state = _State(self.batch.inputs.clone(), predicted, confidence)
        self.rows: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def level(self, level: Fraction, copies: Mapping[Fraction, Tensor] | None) -> None:
        """Perturb at one level and note every sample's outcome."""
        if level > 0:
            active = np.flatnonzero(self.state.predicted == self.labels) if self.threat.adaptive else np.arange(len(self.batch))
            if not self.threat.adaptive:
                self.state.inputs = self.batch.inputs.clone()
            if copies is not None and level in copies:
                copy = copies[level].to(self.batch.inputs.device)
                verify(self.threat, self.batch.inputs, copy, level, self.batch.ids)
                self._replace(active, copy, level)
            elif len(active):
                self._perturb(active, level)
        change = distances(self.threat.measured_norm, self.batch.inputs, self.state.inputs).cpu().numpy()
        self.rows.append((self.state.predicted.copy(), self.state.confidence.copy(), change))

    def _perturb(self, active: np.ndarray, level: Fraction) -> None:
        for start in range(0, len(active), self.micro_batch):
            rows = active[start : start + self.micro_batch]
            piece = self.batch.take(rows.tolist())
            given = piece.inputs.clone()
            changed = self.threat.perturb(self.victim, piece, level, self.seed).detach()
            verify(self.threat, given, changed, level, piece.ids)
            self._replace(rows, changed, level)

    def _replace(self, rows: np.ndarray, changed: Tensor, level: Fraction) -> None:
        import torch

        place = torch.from_numpy(rows).to(changed.device)
        self.state.inputs[place] = changed
        self.state.predicted[rows], self.state.confidence[rows] = self._answers(changed)

    def _answers(self, inputs: Tensor) -> tuple[np.ndarray, np.ndarray]:
        predicted, confidence = [], []
        for start in range(0, len(inputs), self.micro_batch):
            logits = self.victim.logits(inputs[start : start + self.micro_batch])
            self.classes = logits.shape[1]
            if int(self.labels.max(initial=0)) >= self.classes:
                raise VictimError(f"A label is {self.labels.max()}, but {self.victim.name} answers with {self.classes} classes.")
            best = logits.double().softmax(1).max(1)
            predicted.append(best.indices.cpu().numpy())
            confidence.append(best.values.cpu().numpy())
        return np.concatenate(predicted), np.concatenate(confidence)

    def outcome(self, seconds: float, keep: bool) -> Outcome:
        """Everything observed, with flags."""
        threat = self.threat
        predicted, confidence, change = (np.stack(column) for column in zip(*self.rows, strict=True))
        spent = Meter(self.victim.meter.forward - self.meter_before.forward, self.victim.meter.backward - self.meter_before.backward)
        cautions = threat.cautions(self.classes, tuple(self.batch.inputs.shape[1:])) if threat.levels[-1] > 0 else ()
        flags = cautions + suspicion.flags(threat, self.victim, self.batch, self.clean, predicted, self.buffers, self.seed)
        cost = Cost(spent.forward, spent.backward, spent.forward if threat.black_box else 0, seconds)
        return Outcome(
            ids=self.batch.ids,
            labels=self.labels,
            levels=threat.levels,
            clean_predicted=self.clean,
            predicted=predicted,
            confidence=confidence,
            distance=change,
            cost=cost,
            flags=flags,
            examples=self._examples(predicted[-1]),
            perturbed=self.state.inputs if keep else None,
        )

    def _examples(self, predicted: np.ndarray) -> tuple[Example, ...]:
        """Samples that the threat broke first, then others, in the order of the batch."""
        broken = (self.clean == self.labels) & (predicted != self.labels)
        rows = np.argsort(~broken, kind="stable")[:EXAMPLES]
        before, after = to_pixels(self.batch.inputs[rows.tolist()]), to_pixels(self.state.inputs[rows.tolist()])
        top = self.threat.levels[-1]
        return tuple(
            Example(self.batch.ids[row], top, int(self.labels[row]), int(self.clean[row]), int(predicted[row]), np.stack([before[i], after[i]]))
            for i, row in enumerate(rows.tolist())
        )


def check_inputs(batch: Batch) -> None:
    """Refuse inputs that are empty, not finite or outside [0, 1].

    Raises:
        DataError: with the first offending sample's id.
    """
    import torch

    if not len(batch):
        raise DataError("The batch is empty; there is nothing to evaluate.")
    if not torch.is_floating_point(batch.inputs):
        raise DataError(f"Inputs are {batch.inputs.dtype}; expected float in [0, 1] (uint8 images: divide by 255).")
    flat = batch.inputs.flatten(1)
    low, high = flat.amin(1), flat.amax(1)
    bad = (~((low >= 0) & (high <= 1))).nonzero()  # NaN fails both comparisons
    if len(bad):
        row = int(bad[0])
        raise DataError(
            f"Sample {batch.ids[row]!r} has values from {float(low[row]):.4g} to {float(high[row]):.4g}; expected [0, 1]. "
            "Give images before normalisation: it belongs inside the victim."
        )


def verify(threat: Threat, inputs: Tensor, changed: Tensor, level: Fraction, ids: tuple[str, ...]) -> None:
    """Check shape, range and norm of what a threat made, independently of the threat.

    Raises:
        BudgetError: the first sample that breaks its budget, by how much.
    """
    import torch

    name = f"{threat.use} at {fraction_text(level)}"
    if changed.shape != inputs.shape:
        raise BudgetError(f"{name} answered with shape {tuple(changed.shape)} for {tuple(inputs.shape)}.")
    outside = ~(torch.isfinite(changed) & (changed >= 0) & (changed <= 1)).flatten(1).all(1)
    if bool(outside.any()):
        row = int(outside.nonzero()[0])
        raise BudgetError(f"{name} left the range [0, 1] on sample {ids[row]!r}; the result is not an image, so nothing it shows counts.")
    if not threat.adaptive:
        return
    moved = distances(threat.measured_norm, inputs, changed)
    allowed = float(level) + tolerance(threat.measured_norm, float(level), inputs[0].numel())
    if float(moved.max()) > allowed:
        row = int(moved.argmax())
        raise BudgetError(
            f"{name} moved sample {ids[row]!r} by {float(moved[row]):.6g} in {threat.measured_norm}, more than its budget {float(level):.6g}; "
            "an attack outside its budget proves nothing."
        )
