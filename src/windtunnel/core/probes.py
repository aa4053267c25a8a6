"""Probes of one victim: its answers, its gradients, and cheap rivals of the attack it stood. Imports torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from windtunnel.core.ball import project, steepest
from windtunnel.core.flag import Flag
from windtunnel.core.margin import margin
from windtunnel.core.suspicion import Probe

UNBOUNDED = 16
"""Samples attacked without any bound."""

TOO_MANY = 0.01
"""Probability of so many standing samples by chance, above which they say nothing."""

UNBOUNDED_STEPS = 20


def answers(probe: Probe) -> Iterator[Flag | None]:
    """What the logits themselves give away, and what the forward pass does."""
    watch = _Watch()
    with watch:
        first = probe.victim.logits(probe.batch.inputs)
    yield _gradients_in_forward(watch)
    yield _randomness(probe, first)
    yield _softmax_outputs(first)
    yield _clipped_outputs(first)


def gradients(probe: Probe) -> Iterator[Flag | None]:
    """What gradient attacks hang on: slopes that exist and point somewhere, and attacks that gain from steps and room."""
    inputs = probe.batch.inputs
    slope = probe.victim.gradient(inputs, lambda logits: torch.nn.functional.cross_entropy(logits, probe.batch.labels, reduction="none"))[2]
    zero = slope.flatten(1).abs().amax(1) == 0
    yield _zero_gradients(zero)
    yield _constant_gradients(slope, zero, probe.batch.labels)
    yield _one_step_does_better(probe, slope)
    yield _unbounded_fails(probe)


class _Watch(TorchFunctionMode):
    """Notes whether gradients are taken while it is on."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = False

    def __torch_function__(
        self, function: Callable[..., Any], types: Sequence[type], arguments: tuple[Any, ...] = (), named: Mapping[str, Any] | None = None
    ) -> Any:
        self.seen |= function in (torch.autograd.grad, torch.autograd.backward, torch.Tensor.backward)
        return function(*arguments, **(named or {}))


def _gradients_in_forward(watch: _Watch) -> Flag | None:
    if not watch.seen:
        return None
    return Flag(
        "gradients-in-forward",
        "The victim takes gradients inside its forward pass (it optimises its input or itself while it answers): attacks that do not "
        "look through that loop look weaker than they are.",
    )


def _randomness(probe: Probe, first: Tensor) -> Flag | None:
    second = probe.victim.logits(probe.batch.inputs)
    scale = float(first.abs().amax().clamp_min(1))
    if float((first - second).abs().amax()) <= 1e-4 * scale or getattr(probe.threat, "eot", 1) > 1:  # accelerators may sum in another order
        return None
    return Flag(
        "randomness-without-eot",
        "The victim answers the same input differently from pass to pass, and the attack averages over no draws: set `eot` (or "
        "`variant: rand` of autoattack), else it climbs noise and the number is too good.",
    )


def _softmax_outputs(logits: Tensor) -> Flag | None:
    sums = logits.double().sum(1)
    if bool((logits >= 0).all()) and torch.allclose(sums, torch.ones_like(sums), atol=1e-4):
        return Flag(
            "softmax-outputs", "The victim answers with probabilities instead of logits; gradients saturate and attacks look weaker than they are."
        )
    return None


def _clipped_outputs(logits: Tensor) -> Flag | None:
    """Honest networks do not give several inputs exactly the same largest or smallest logit."""
    if len(logits) < 4:
        return None
    for extreme in (logits.amax(1), logits.amin(1)):
        common = int((extreme == extreme.mode().values).sum())
        if 2 * common >= len(logits):
            return Flag(
                "clipped-outputs",
                f"{common} of {len(logits)} samples share exactly the same extreme logit ({float(extreme.mode().values):.4g}): outputs are cut off "
                "or rounded, gradients vanish there and attacks look weaker than they are.",
            )
    return None


def _zero_gradients(zero: Tensor) -> Flag | None:
    """Compares with exact zero: a piecewise-constant or detached network has no gradient at all."""
    share = float(zero.float().mean())
    if share < 0.1:  # ours: saturated float32 softmax zeroes a few confident samples of honest networks
        return None
    return Flag(
        "zero-gradients",
        f"The loss has a zero gradient on {share:.0%} of the samples; gradient attacks are blind there and robustness is overstated.",
    )


def _constant_gradients(slope: Tensor, zero: Tensor, labels: Tensor) -> Flag | None:
    """The loss of two different labels cannot grow in the same direction, unless the gradient knows of neither."""
    rows = (~zero).nonzero().flatten()
    if len(rows) < 2 or bool((labels[rows] == labels[rows[0]]).all()):
        return None
    directions = steepest("L2", slope[rows].double()).flatten(1)
    if float((directions @ directions[0]).amin()) < 1 - 1e-6:
        return None
    return Flag(
        "constant-gradients",
        "The gradient has the same direction for every sample, whatever its label: it does not come from what the victim computes, "
        "and gradient attacks are led astray.",
    )


def _one_step_does_better(probe: Probe, slope: Tensor) -> Flag | None:
    norm = probe.threat.measured_norm
    if norm == "L0":
        return None
    eps, inputs = float(probe.threat.levels[-1]), probe.batch.inputs
    more = probe.better((inputs + eps * steepest(norm, slope)).clamp(0, 1))
    if more < probe.notable:
        return None
    return Flag(
        "more-steps-do-not-help",
        f"One plain gradient step breaks {more} of {len(probe.broken)} samples that the attack left standing: its further steps lead nowhere.",
    )


def _unbounded_fails(probe: Probe) -> Flag | None:
    """Projected steps in a ball that holds every image: there no classifier stands above chance, unless its gradients lie."""
    inputs, labels = probe.batch.inputs[:UNBOUNDED], probe.batch.labels[:UNBOUNDED]
    points, count = inputs, len(inputs)
    fell = torch.zeros_like(labels, dtype=torch.bool)
    for _ in range(UNBOUNDED_STEPS):
        logits, _, slope = probe.victim.gradient(points, lambda answer: margin(answer, labels))
        fell |= logits.argmax(1) != labels
        if _at_least(count - int(fell.sum()), count, 1 / logits.shape[1]) > TOO_MANY:
            return None  # nothing can be said any more, for fallen samples stay so: an honest victim takes a few steps
        # 2.5 times the radius in all, as pgd's default steps.
        points = (inputs + project("Linf", points + 2.5 / UNBOUNDED_STEPS * steepest("Linf", slope) - inputs, 1.0)).clamp(0, 1)
    logits = probe.victim.logits(points)
    standing, classes = count - int((fell | (logits.argmax(1) != labels)).sum()), logits.shape[1]
    if _at_least(standing, count, 1 / classes) > TOO_MANY:
        return None
    return Flag(
        "unbounded-attack-fails",
        f"{UNBOUNDED_STEPS} gradient steps without any bound (eps = 1) leave {standing} of {count} samples standing, more than chance: an image "
        "can be turned into any other there, so the gradients are masked and every gradient attack on this victim is too weak.",
    )


def _at_least(successes: int, trials: int, chance: float) -> float:
    """The probability of so many successes or more."""
    return sum(math.comb(trials, k) * chance**k * (1 - chance) ** (trials - k) for k in range(successes, trials + 1))
