"""Evaluation: one threat against one victim, level by level, with nothing taken on trust."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from windtunnel.core import suspicion
from windtunnel.core.attempt import Attempt, Attempted, settled, unfinished
from windtunnel.core.batch import Batch
from windtunnel.core.canonical import fraction_text
from windtunnel.core.flag import Flag
from windtunnel.core.modalities import modality_of
from windtunnel.core.modality import ANY
from windtunnel.core.outcome import Cost, Example, Outcome
from windtunnel.core.victim import Meter, Victim
from windtunnel.errors import DataError, VictimError

if TYPE_CHECKING:
    from windtunnel.core.batch import Rows
    from windtunnel.core.threat import Threat

EXAMPLES = 4
"""Samples shown before and after each threat."""

LONG = 20
"""Passes a sample from which on an attack searches a folded twin of the victim."""

AUDITED = 16
"""At most so many samples that stand at the largest radius are attacked at the next smaller one, too."""


@dataclass
class _Answers:
    """What the victim says of some points, a row each."""

    predicted: np.ndarray
    confidence: np.ndarray


class Evaluation:
    """One evaluation in progress.

    An attack is swept over its radii from the largest down. A sample that stands at one radius stands at every smaller one, so it is
    attacked no more; a sample that fell is first tried with its point projected onto the smaller ball, and attacked again only if
    that does not break it. What the shortcut assumes is audited: samples that stand at the largest radius are attacked at the next
    smaller one, and if one falls, every radius is attacked on its own and the result flagged.

    Args:
        threat: what perturbs.
        victim: who is asked.
        batch: all samples; adaptive threats are given those that the victim classifies rightly.
        seed: keys the draws, with each sample's id.
        micro_batch: samples at once.
        source: whose gradients the threat follows: the victim, or its surrogate.
    Raises:
        DataError: inputs of another modality than the threat's, or that cannot be evaluated: images outside [0, 1], empty texts.
        VictimError: training mode, NaN logits, or labels beyond its classes.
    """

    def __init__(self, threat: Threat[Any], victim: Victim, batch: Batch[Any], seed: int, micro_batch: int, source: Victim) -> None:
        self.modality = modality_of(batch.inputs)
        if threat.modality not in (ANY, self.modality.name):
            raise DataError(f"{threat.use} changes {threat.modality} inputs, and these are {self.modality.name} inputs; choose a threat for them.")
        self.modality.check(batch)
        victim.refuse_training()
        source.refuse_training()
        self.threat, self.victim, self.seed, self.micro_batch = threat, victim, seed, micro_batch
        self.source = self.searched = source
        self.levels = threat.levels
        self.batch = batch.to(victim.device)
        self.before = [(meter, meter.since(Meter())) for meter in {id(each): each.meter for each in (victim, source)}.values()]
        self.buffers = suspicion.buffers(victim)
        self.labels = batch.labels.cpu().numpy()
        self.classes = 0
        clean = self._ask(self.batch.inputs)
        self.clean = clean.predicted
        shape = (len(self.levels), len(batch))
        self.predicted = np.broadcast_to(clean.predicted, shape).copy()
        self.confidence = np.broadcast_to(clean.confidence, shape).copy()
        self.distance = np.zeros(shape)
        self.attacked = np.zeros(shape, dtype=bool)
        self.top = self.modality.copy(self.batch.inputs)
        self.found: list[Flag] = []
        self.told: dict[tuple[int, int], Attempt] = {}

    def blind(self, copies: Mapping[Fraction, Any]) -> None:
        """Perturb all samples at every level, or take the copies made earlier, and ask the victim.

        Raises:
            BudgetError: a copy, or what the threat made, is no input any more.
        """
        everyone = np.arange(len(self.batch))
        for index, level in enumerate(self.levels):
            if level == 0:
                continue
            if level in copies:
                changed = copies[level].to(self.victim.device)
                self.modality.verify(self.threat, self.batch.inputs, changed, level, self.batch.ids)
                self._note(index, everyone, changed, self._ask(changed))
                continue
            for rows in self._pieces(everyone):
                changed = self._perturb(rows, level)
                self._note(index, rows, changed, self._ask(changed))

    def sweep(self) -> None:
        """Attack the samples that are classified rightly, from the largest radius down.

        Raises:
            BudgetError: the attack left its budget, or what it made is no input any more.
        """
        radii = [index for index, level in enumerate(self.levels) if level > 0]
        if radii and self.threat.passes() >= LONG:
            from windtunnel.core.folding import folded

            self.searched = folded(self.source, self.batch.inputs, self.batch.labels)
        # What a surrogate's gradient breaks says little of what it breaks with less room, and a text has no nearer twin.
        if self.threat.transfer or not self.modality.shrinks:
            self._ascend(radii)
            return
        if radii and self._descend(np.flatnonzero(self.clean == self.labels), radii):
            self._ascend(radii[:-1])

    def _ascend(self, radii: list[int]) -> None:
        for index in radii:
            for rows in self._pieces(np.flatnonzero(self._standing(index) & ~self.attacked[index])):
                self._attack(index, rows)

    def _descend(self, right: np.ndarray, radii: list[int]) -> bool:
        """Attack from the largest radius down; whether the audit found that this cannot be relied on."""
        from windtunnel.core.ball import project

        points = self.batch.inputs.clone()
        for rows in self._pieces(right):
            points[rows.tolist()] = self._attack(radii[-1], rows)
        audited = self._audited() if len(radii) > 1 and not self.threat.minimal else np.zeros(0, dtype=np.int64)
        for index in reversed(radii[:-1]):
            for rows in self._pieces(right):
                place = rows.tolist()
                inputs = self.batch.inputs[place]
                points[place] = (inputs + project(self.threat.measured_norm, points[place] - inputs, float(self.levels[index]))).clamp(0, 1)
                self._settle(index, rows, points[place])
            if self.threat.minimal:
                continue
            again = self._standing(index) & ~self._standing(index + 1)
            if index == radii[-2]:
                again[audited] = True
            # All that is left of all pieces together: small batches cost nearly as much as large ones.
            for rows in self._pieces(np.flatnonzero(again)):
                points[rows.tolist()] = self._attack(index, rows)
        return self._audit(audited, radii[-2]) if len(audited) else False

    def _audited(self) -> np.ndarray:
        """Some of the samples that stand at the largest radius."""
        standing = np.flatnonzero(self._standing(-1))
        few = min(AUDITED, max(2, len(standing) // 8), len(standing))
        return standing[:: len(standing) // few][:few] if few else standing

    def _audit(self, rows: np.ndarray, index: int) -> bool:
        """Whether samples that stood at the largest radius fell at the one of `index`."""
        fallen = int((~self._standing(index)[rows]).sum())
        if fallen:
            large, small = fraction_text(self.levels[-1]), fraction_text(self.levels[index])
            self.found.append(
                Flag(
                    "larger-budget-does-not-help",
                    f"{fallen} of {len(rows)} samples that stood at {large} fell at {small}: the attack gets stuck when it may move further. "
                    "Every radius was attacked on its own, and what fell at one counts at each larger one.",
                )
            )
        return fallen > 0

    def _attack(self, index: int, rows: np.ndarray) -> Any:
        """Perturb samples at one level and settle what comes of it; their points."""
        changed = self._perturb(rows, self.levels[index])
        self.attacked[index, rows] = True
        self._settle(index, rows, changed)
        return changed

    def _settle(self, index: int, rows: np.ndarray, points: Any) -> None:
        """Ask about points of one level; what falls counts at each larger level, too."""
        answers = self._ask(points)
        self._note(index, rows, points, answers)
        fell = answers.predicted != self.labels[rows]
        for larger in range(index + 1, len(self.levels)):
            risen = fell & self._standing(larger)[rows]
            if risen.any():
                some = _Answers(answers.predicted[risen], answers.confidence[risen])
                self._note(larger, rows[risen], points[risen.nonzero()[0].tolist()], some)

    def _perturb(self, rows: np.ndarray, level: Fraction) -> Any:
        piece = self.batch.take(rows.tolist())
        given = self.modality.copy(piece.inputs)
        with self.source.queried() if self.threat.black_box else nullcontext():
            answer = self.threat.perturb(self.searched, piece, level, self.seed)
        if isinstance(answer, Attempted):
            index = self.levels.index(level)
            self.told.update({(index, row): attempt for row, attempt in zip(rows.tolist(), answer.attempts, strict=True)})
            answer = answer.inputs
        changed = self.modality.settled(answer)
        self.modality.verify(self.threat, given, changed, level, piece.ids)
        return changed

    def _standing(self, index: int) -> np.ndarray:
        """Whether each sample is classified rightly at that level."""
        standing: np.ndarray = self.predicted[index] == self.labels
        return standing

    def _pieces(self, rows: np.ndarray) -> list[np.ndarray]:
        return [rows[start : start + self.micro_batch] for start in range(0, len(rows), self.micro_batch)]

    def _note(self, index: int, rows: np.ndarray, points: Any, answers: _Answers) -> None:
        self.predicted[index, rows], self.confidence[index, rows] = answers.predicted, answers.confidence
        place = rows.tolist()
        self.distance[index, rows] = self.modality.distances(self.threat.measured_norm, self.batch.inputs[place], points)
        if index == len(self.levels) - 1:
            self.top = self.modality.put(self.top, place, points)

    def _ask(self, inputs: Rows) -> _Answers:
        predicted, confidence = [], []
        for start in range(0, len(inputs), self.micro_batch):
            logits = self.victim.logits(inputs[start : start + self.micro_batch])
            self.classes = logits.shape[1]
            if int(self.labels.max(initial=0)) >= self.classes:
                raise VictimError(f"A label is {self.labels.max()}, but {self.victim.name} answers with {self.classes} classes.")
            best = logits.double().softmax(1).max(1)
            predicted.append(best.indices.cpu().numpy())
            confidence.append(best.values.cpu().numpy())
        return _Answers(np.concatenate(predicted), np.concatenate(confidence))

    def outcome(self, seconds: float, keep: bool) -> Outcome:
        """Everything observed, with flags."""
        threat = self.threat
        spent = [meter.since(before) for meter, before in self.before]
        attempts = settled(self.told, self.clean == self.labels, self.predicted == self.labels) if self.told else ()
        cautions = threat.cautions(self.classes, self.modality.shape(self.batch.inputs)) if threat.levels[-1] > 0 else ()
        seen = suspicion.Observation(threat, self.victim, self.batch, self.clean, self.predicted, self.buffers, self.seed, self.classes)
        flags = {flag.name: flag for flag in reversed((*cautions, *unfinished(attempts), *self.found, *suspicion.flags(seen)))}
        return Outcome(
            ids=self.batch.ids,
            labels=self.labels,
            levels=threat.levels,
            clean_predicted=self.clean,
            predicted=self.predicted,
            confidence=self.confidence,
            distance=self.distance,
            cost=Cost(sum(m.forward for m in spent), sum(m.backward for m in spent), sum(m.queries for m in spent), seconds),
            flags=tuple(reversed(flags.values())),
            examples=self._examples(self.predicted[-1]),
            perturbed=self.top if keep else None,
            attempts=attempts,
            groups=threat.groups(self.labels, self.batch.ids, self.seed),
        )

    def _examples(self, predicted: np.ndarray) -> tuple[Example, ...]:
        """Samples that the threat broke first, then others, in the order of the batch."""
        broken = (self.clean == self.labels) & (predicted != self.labels)
        rows = np.argsort(~broken, kind="stable")[:EXAMPLES]
        before, after = (self.modality.stored(inputs[rows.tolist()]) for inputs in (self.batch.inputs, self.top))
        top = self.threat.levels[-1]
        return tuple(
            Example(
                self.batch.ids[row],
                top,
                int(self.labels[row]),
                int(self.clean[row]),
                int(predicted[row]),
                self.modality.join(before[[i]], after[[i]]),
            )
            for i, row in enumerate(rows.tolist())
        )
