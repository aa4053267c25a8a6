"""Curves of a fine-tuning in a line of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from windtunnel.core.recipe import Epoch

BLOCKS: Final = "▁▂▃▄▅▆▇█"
LENGTH: Final = 10
"""Epochs that are drawn at most, the latest ones."""


def figures(epochs: Sequence[Epoch]) -> str:
    """Loss and validation accuracy of the latest epoch, each with how it went in its stage: "loss 0.31 █▄▂▁  val 93.1 % ▁▅▇█"."""
    latest = epochs[-1]
    stage = [epoch for epoch in epochs if epoch.stage == latest.stage][-LENGTH:]
    told = [f"loss {latest.train_loss:.3g} {sparkline([epoch.train_loss for epoch in stage])}"]
    told.append(f"val {100 * latest.val_accuracy:.1f} % {sparkline([epoch.val_accuracy for epoch in stage])}")
    if latest.val_robust_accuracy is not None:
        told.append(f"robust {100 * latest.val_robust_accuracy:.1f} %")
    return "  ".join(told)


def sparkline(values: Sequence[float]) -> str:
    """A block for each value, as high as it lies between the smallest and the largest."""
    low, high = min(values), max(values)
    if low == high:
        return BLOCKS[len(BLOCKS) // 2] * len(values)
    return "".join(BLOCKS[round((value - low) / (high - low) * (len(BLOCKS) - 1))] for value in values)
