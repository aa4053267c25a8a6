"""Signs, within one evaluation, that a robustness number is not to be trusted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from windtunnel.core.batch import Batch
from windtunnel.core.flag import Flag
from windtunnel.core.outcome import Ints, wilson
from windtunnel.core.victim import Victim
from windtunnel.seeding import generators

if TYPE_CHECKING:
    from torch import Tensor

    from windtunnel.core.batch import Rows
    from windtunnel.core.threat import Threat

PROBED = 32
"""Samples on which gradients and noise are tried; a few passes beside the tens to thousands of an attack."""

NOTABLE = 0.1
"""Share of the probed samples from which on a rival that does better is more than luck; at least three of them."""


ENOUGH = 20
"""Samples from which on an accuracy can be told from chance."""


@dataclass(frozen=True)
class Observation:
    """What one evaluation saw.

    Args:
        threat: what perturbed.
        victim: who was asked.
        batch: all samples.
        clean: predicted class of each unperturbed sample, (n,).
        predicted: predicted class at each level, (level, n).
        buffers: copies of the victim's buffers, made before.
        seed: of the evaluation.
        classes: number of logits.
    """

    threat: Threat[Any]
    victim: Victim
    batch: Batch[Any]
    clean: np.ndarray
    predicted: np.ndarray
    buffers: dict[str, Tensor]
    seed: int
    classes: int


@dataclass(frozen=True)
class Probe:
    """Some of the samples that an attack was given, for cheap rivals to be tried on.

    Args:
        threat: the attack.
        victim: who is asked.
        batch: at most PROBED samples, rightly classified.
        broken: whether the attack broke each at its largest radius, (probed,).
        seed: of the evaluation.
    """

    threat: Threat[Any]
    victim: Victim
    batch: Batch[Any]
    broken: np.ndarray
    seed: int

    def better(self, points: Rows) -> int:
        """How many samples these points break that the attack left standing."""
        fooled = (self.victim.logits(points).argmax(1) != self.batch.labels).cpu().numpy()
        return int((fooled & ~self.broken).sum())

    @property
    def notable(self) -> int:
        """How many of them a rival must break to be worth a flag."""
        return max(3, round(NOTABLE * len(self.broken)))


def buffers(victim: Victim) -> dict[str, Tensor]:
    """Copies of the victim's buffers (BatchNorm statistics among them)."""
    return {name: tensor.clone() for name, tensor in victim.module.named_buffers()}


def flags(seen: Observation) -> tuple[Flag, ...]:
    """Every sign of trouble in one evaluation."""
    found: list[Flag | None] = [_buffers_changed(seen.victim, seen.buffers)]
    if seen.threat.adaptive and seen.threat.levels[-1] > 0:
        found += _adaptive(seen)
    if seen.threat.family in ("clean", "shift"):
        found.append(chance_level(seen.batch.labels.cpu().numpy(), seen.clean, seen.classes))
    return tuple(flag for flag in found if flag is not None)


def _adaptive(seen: Observation) -> Iterator[Flag | None]:
    from windtunnel.core import probes
    from windtunnel.core.modalities import modality_of

    labels = seen.batch.labels.cpu().numpy()
    right = np.flatnonzero(seen.clean == labels)[:PROBED]
    if len(right):
        broken = seen.predicted[-1][right] != labels[right]
        probe = Probe(seen.threat, seen.victim, seen.batch.take(right.tolist()), broken, seen.seed)
        yield from probes.answers(probe)
        yield from modality_of(seen.batch.inputs).rivals(probe)
    yield _larger_does_not_help(seen.threat, seen.clean, seen.predicted, labels)


def chance_level(labels: Ints, clean: Ints, classes: int) -> Flag | None:
    """Accuracy on images as they are that guessing would reach: the mark of a label map that is not the data's."""
    if len(labels) < ENOUGH or classes < 2:
        return None
    accuracy = wilson(int((clean == labels).sum()), len(labels))
    if accuracy.low > 1 / classes:
        return None
    return Flag(
        "chance-level",
        f"Accuracy on {len(labels)} samples is {accuracy.value:.1%}; guessing among {classes} classes gives {1 / classes:.1%}. "
        "The classes of victim and data may not be in the same order.",
    )


def _buffers_changed(victim: Victim, before: dict[str, Tensor]) -> Flag | None:
    import torch

    changed = [name for name, tensor in victim.module.named_buffers() if not torch.equal(tensor, before[name])]
    if not changed:
        return None
    return Flag("buffers-changed", f"The victim's state changed while it was evaluated ({changed[0]}, ...): it was not the same network throughout.")


def noise_does_as_well(probe: Probe) -> Flag | None:
    """Random corners of the ball against the attack, on the samples it was given."""
    noisy = noise(probe.threat.measured_norm, probe.batch, probe.threat.levels[-1], probe.seed)
    fooled = (probe.victim.logits(noisy).argmax(1) != probe.batch.labels).cpu().numpy()
    if fooled.sum() == 0 or fooled.sum() < probe.broken.sum() or probe.broken.all():
        return None
    return Flag(
        "noise-does-as-well",
        f"One random draw of the same size breaks {fooled.mean():.0%} of {len(probe.broken)} samples, "
        f"the attack {probe.broken.mean():.0%}: the attack is not working.",
    )


def noise(norm: str, batch: Batch, level: Fraction, seed: int) -> Tensor:
    """Inputs moved to a random point at distance `level`: corners for Linf, directions otherwise; clipped to [0, 1].

    In L0 as many values as `level` says are replaced by black or white.
    """
    from windtunnel.core.ball import TINY, column, lengths, normal_draws, project

    direction = normal_draws(generators(seed, "noise-baseline", batch.ids), batch.inputs.shape[1:], batch.inputs)
    if norm == "L0":
        return (batch.inputs + project("L0", direction, float(level)).sign()).clamp(0, 1)
    direction = direction.sign() if norm == "Linf" else direction / column(lengths(norm, direction).clamp_min(TINY), direction)
    return (batch.inputs + float(level) * direction).clamp(0, 1)


def _larger_does_not_help(threat: Threat[Any], clean: np.ndarray, predicted: np.ndarray, labels: np.ndarray) -> Flag | None:
    levels = [level for level in threat.levels if level > 0]
    if len(levels) < 2 or levels[-1] < 2 * levels[0]:
        return None
    standing = (predicted == labels).mean(1)[-len(levels) :]
    chance = 1 / max(2, int(labels.max()) + 1)
    broke_something = standing[0] < (clean == labels).mean()
    if broke_something and standing[-1] == standing[0] and standing[-1] > chance:
        return Flag(
            "larger-budget-does-not-help", f"Accuracy stays at {standing[-1]:.1%} from the smallest to the largest budget: the attack may be stuck."
        )
    return None
