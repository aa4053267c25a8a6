"""Folding: a classifier whose batch normalisations have gone into the convolutions before them. Imports torch."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from windtunnel.core.margin import margin
from windtunnel.core.victim import Victim

TRIED = 8
"""Samples on which the two are compared."""

ALIKE = 1e-4
"""Largest difference of logits, relative to the largest logit, that is taken for rounding; gradients may differ by ten times as much."""


def folded(victim: Victim, inputs: Tensor, labels: Tensor) -> Victim:
    """The same classifier in fewer operations, for searches that look at it thousands of times; verdicts are the victim's own.

    In evaluation mode a batch normalisation is a fixed scale and shift for each channel, which the convolution before it can make
    as well. All other parameters are shared with the victim, and so is the meter.

    Args:
        victim: frozen, in evaluation mode.
        inputs, labels: samples of it, at least one.
    Returns:
        The victim itself where there is nothing to fold, or where what was folded answers otherwise, by more than rounding.
    """
    parts = tuple(victim.module.modules())
    if not any(map(_foldable, parts)) or any(isinstance(part, torch.jit.ScriptModule) for part in parts):
        return victim
    pairs = _pairs(victim, inputs[:1])
    if not pairs:
        return victim
    twin = victim.through(_twin(victim.module, {**_fused(pairs), **{norm: _after(norm) for norm in pairs}}))
    return twin if _alike(victim, twin, inputs[:TRIED], labels[:TRIED]) else victim


def _pairs(victim: Victim, inputs: Tensor) -> dict[nn.BatchNorm2d, nn.Conv2d]:
    """The batch normalisations that are given just what one convolution answered, each of the two called once."""
    calls: Counter[nn.Module] = Counter()
    made: dict[int, tuple[nn.Conv2d, Tensor]] = {}  # the tensors are kept, so that no other takes their place in memory
    pairs: dict[nn.BatchNorm2d, nn.Conv2d] = {}

    def note(part: nn.Module, given: tuple[Any, ...], answer: Tensor) -> None:
        calls[part] += 1
        if isinstance(part, nn.Conv2d):
            made[id(answer)] = (part, answer)
        elif isinstance(part, nn.BatchNorm2d) and id(given[0]) in made:
            pairs[part] = made[id(given[0])][0]

    kinds = [part for part in victim.module.modules() if isinstance(part, nn.Conv2d) or _foldable(part)]
    hooks = [part.register_forward_hook(note) for part in kinds]
    try:
        victim.logits(inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return {norm: conv for norm, conv in pairs.items() if calls[norm] == calls[conv] == 1}


def _foldable(part: nn.Module) -> bool:
    """A plain batch normalisation, or timm's with its activation, and with statistics of its own."""
    plain = type(part) is nn.BatchNorm2d or (isinstance(part, nn.BatchNorm2d) and hasattr(part, "drop") and hasattr(part, "act"))
    return plain and part.running_mean is not None


def _fused(pairs: Mapping[nn.BatchNorm2d, nn.Conv2d]) -> dict[nn.Module, nn.Module]:
    return {conv: fuse_conv_bn_eval(conv, norm) for norm, conv in pairs.items()}


def _after(norm: nn.BatchNorm2d) -> nn.Module:
    """What is left of a batch normalisation: nothing, or the activation that timm puts into it."""
    parts = [] if type(norm) is nn.BatchNorm2d else [norm.get_submodule("drop"), norm.get_submodule("act")]
    return nn.Sequential(*parts)


def _twin(part: nn.Module, others: dict[nn.Module, nn.Module]) -> nn.Module:
    """The tree of modules with some of them replaced; the rest are shallow copies that hold the same tensors."""
    if part not in others:
        others[part] = twin = copy.copy(part)
        twin._modules = {name: child if child is None else _twin(child, others) for name, child in part._modules.items()}
    return others[part].eval()


def _alike(victim: Victim, twin: Victim, inputs: Tensor, labels: Tensor) -> bool:
    """Whether logits and gradients agree within float rounding."""
    found = [each.gradient(inputs, lambda logits: margin(logits, labels)) for each in (victim, twin)]
    return all(_close(found[0][place], found[1][place], share) for place, share in ((0, ALIKE), (2, 10 * ALIKE)))


def _close(one: Tensor, other: Tensor, share: float) -> bool:
    return float((one - other).abs().amax()) <= share * float(one.abs().amax())
