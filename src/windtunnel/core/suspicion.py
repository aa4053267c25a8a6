"""Signs, within one evaluation, that a robustness number is not to be trusted."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from windtunnel.core.batch import Batch
from windtunnel.core.flag import Flag
from windtunnel.core.victim import Victim
from windtunnel.seeding import generators

if TYPE_CHECKING:
    from torch import Tensor

    from windtunnel.core.threat import Threat

PROBED = 32
"""Samples on which gradients and noise are tried; a few passes beside the tens to thousands of an attack."""


def buffers(victim: Victim) -> dict[str, Tensor]:
    """Copies of the victim's buffers (BatchNorm statistics among them)."""
    return {name: tensor.clone() for name, tensor in victim.module.named_buffers()}


def flags(
    threat: Threat,
    victim: Victim,
    batch: Batch,
    clean: np.ndarray,
    predicted: np.ndarray,
    buffers_before: dict[str, Tensor],
    seed: int,
) -> tuple[Flag, ...]:
    """Every sign of trouble seen in one evaluation."""
    found = [_buffers_changed(victim, buffers_before)]
    if threat.adaptive and threat.levels[-1] > 0:
        labels = batch.labels.cpu().numpy()
        right = np.flatnonzero(clean == labels)[:PROBED]
        if len(right):
            piece = batch.take(right.tolist())
            inputs = piece.inputs.clone().requires_grad_(True)
            logits = victim.network(inputs)
            found += [_softmax_outputs(logits), _zero_gradients(inputs, logits, piece.labels)]
            broken = predicted[-1][right] != labels[right]
            found.append(_noise_does_as_well(threat, victim, piece, broken, seed))
        found.append(_larger_does_not_help(threat, clean, predicted, labels))
    return tuple(flag for flag in found if flag is not None)


def _buffers_changed(victim: Victim, before: dict[str, Tensor]) -> Flag | None:
    import torch

    changed = [name for name, tensor in victim.module.named_buffers() if not torch.equal(tensor, before[name])]
    if not changed:
        return None
    return Flag("buffers-changed", f"The victim's state changed while it was evaluated ({changed[0]}, ...): it was not the same network throughout.")


def _softmax_outputs(logits: Tensor) -> Flag | None:
    import torch

    sums = logits.detach().double().sum(1)
    if bool((logits >= 0).all()) and torch.allclose(sums, torch.ones_like(sums), atol=1e-4):
        return Flag(
            "softmax-outputs", "The victim answers with probabilities instead of logits; gradients saturate and attacks look weaker than they are."
        )
    return None


def _zero_gradients(inputs: Tensor, logits: Tensor, labels: Tensor) -> Flag | None:
    """Compares with exact zero: a piecewise-constant or detached network has no gradient at all."""
    import torch

    if not logits.requires_grad:
        return Flag("zero-gradients", "The victim passes no gradient back to its input; gradient attacks cannot see it.")
    loss = torch.nn.functional.cross_entropy(logits, labels, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, inputs, allow_unused=True)
    if gradient is None:
        gradient = torch.zeros_like(inputs)
    share = float((gradient.flatten(1).abs().amax(1) == 0).float().mean())
    if share < 0.1:  # ours: saturated float32 softmax zeroes a few confident samples of honest networks
        return None
    return Flag(
        "zero-gradients",
        f"The loss has a zero gradient on {share:.0%} of the samples; gradient attacks are blind there and robustness is overstated.",
    )


def _noise_does_as_well(threat: Threat, victim: Victim, batch: Batch, broken: np.ndarray, seed: int) -> Flag | None:
    """Random corners of the ball against the attack, on the samples it was given."""
    noisy = noise(threat.measured_norm, batch, threat.levels[-1], seed)
    fooled = (victim.logits(noisy).argmax(1) != batch.labels).cpu().numpy()
    if fooled.sum() == 0 or fooled.sum() < broken.sum():
        return None
    if broken.all():
        return None
    return Flag(
        "noise-does-as-well",
        f"One random draw of the same size breaks {fooled.mean():.0%} of {len(broken)} samples, "
        f"the attack {broken.mean():.0%}: the attack is not working.",
    )


def noise(norm: str, batch: Batch, level: Fraction, seed: int) -> Tensor:
    """Inputs moved to a random point at distance `level`: corners for Linf, directions otherwise; clipped to [0, 1]."""
    import torch

    draws = [draw.standard_normal(tuple(batch.inputs.shape[1:])) for draw in generators(seed, "noise-baseline", batch.ids)]
    direction = torch.from_numpy(np.stack(draws)).to(batch.inputs)
    if norm == "Linf":
        direction = direction.sign()
    else:
        size = direction.flatten(1).norm(p=1 if norm == "L1" else 2, dim=1).clamp_min(1e-12)
        direction = direction / size.view(-1, *[1] * (direction.ndim - 1))
    return (batch.inputs + float(level) * direction).clamp(0, 1)


def _larger_does_not_help(threat: Threat, clean: np.ndarray, predicted: np.ndarray, labels: np.ndarray) -> Flag | None:
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
