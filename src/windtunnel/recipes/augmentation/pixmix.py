"""PixMix: mix images with fractals and with changed versions of themselves."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.modality import IMAGE
from windtunnel.core.part import Augmentation, Fitting, Hooks, Minibatch
from windtunnel.recipes.arguments import Count, Rate

if TYPE_CHECKING:
    from torch import Tensor

LEAST = 1e-37
"""Images are held above it where a negative power is taken, as in the reference implementation."""

ROOM = 1.25
"""Sides of the fractals as a multiple of the images', so that they can be cropped at random; ours."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class PixMix(Augmentation):
    """Each image is, in a few random rounds, added to or multiplied by fractals or changed versions of itself; its label stays.

    Args:
        rounds: largest number of rounds.
        beta: the larger, the less is mixed in.
        severity: largest strength of the operations of AugMix that change an image, of 10.
        patterns: fractals to choose from.
    Source:
        Hendrycks et al. 2022, arXiv 2112.05135, algorithm 1, with 4 rounds, beta 3 and severity 3 as its reference implementation has them
        for CIFAR.
    Deviation:
        The fractals are drawn from the seed, where the published ones are collected images, and feature visualisations are left out; the
        operations are those of AugMix, without those that ImageNet-C tests.
    """

    use: ClassVar[str] = "pixmix"
    modality: ClassVar[str] = IMAGE

    rounds: Count = 4
    beta: Rate = 3.0
    severity: Rate = 3.0
    patterns: Count = 128

    def begin(self, fitting: Fitting) -> Hooks:
        """Mixing."""
        return _Mixed(self, fitting)


class _Mixed(Hooks):
    def __init__(self, settings: PixMix, fitting: Fitting) -> None:
        self.settings, self.fitting = settings, fitting

    @cached_property
    def patterns(self) -> Tensor:
        """The fractals, a little larger than the images, (pattern, channel, height, width)."""
        import torch

        from windtunnel.recipes.augmentation.patterns import fractals

        height, width, channels = self.fitting.train.pixels([0]).shape[1:]
        found = fractals(self.fitting.seed, self.settings.patterns, round(height * ROOM), round(width * ROOM), channels)
        return torch.from_numpy(found).to(self.fitting.device)

    def augment(self, minibatch: Minibatch) -> Minibatch:
        import torch

        draws, images, rounds = self._draw(minibatch.ids), minibatch.inputs, self.settings.rounds
        versions = self._versions(images, draws)
        mixed = versions[:, 0].clone()
        for number in range(rounds):
            for adds, mix in ((True, added), (False, multiplied)):
                rows = np.flatnonzero((draws["rounds"] > number) & (draws["adds"][:, number] == adds))
                if not len(rows):
                    continue
                place = torch.from_numpy(rows).to(images.device)
                own = torch.from_numpy(draws["own"][rows, number]).to(images.device).view(-1, 1, 1, 1)
                other = torch.where(own, versions[place, number + 1], self._crops(draws, rows, number, *images.shape[2:]))
                first, second = (torch.from_numpy(draws[name][rows, number]).to(images).view(-1, 1, 1, 1) for name in ("first", "second"))
                mixed[place] = mix(mixed[place], other, first, second)
        return replace(minibatch, inputs=mixed)

    def _versions(self, images: Tensor, draws: dict[str, np.ndarray]) -> Tensor:
        """Of each image one to start from and one for every round, changed by one operation or not."""
        from windtunnel.recipes.augmentation.mixtures import chained

        rounds = self.settings.rounds
        # What no round asks for need not be changed; the first one is always asked for.
        asked = draws["changed"] & (np.arange(rounds + 1) <= draws["rounds"][:, None])
        stacked = images[:, None].expand(-1, rounds + 1, -1, -1, -1)
        operation, level = draws["operation"].reshape(-1, 1), draws["level"].reshape(-1, 1)
        return chained(stacked.flatten(0, 1), asked.reshape(-1), operation, level).view_as(stacked)

    def _crops(self, draws: dict[str, np.ndarray], rows: np.ndarray, number: int, height: int, width: int) -> Tensor:
        """A window of a fractal for some of the images in one round."""
        import torch

        room = np.array(self.patterns.shape[2:]) - (height, width) + 1
        which = torch.from_numpy(draws["pattern"][rows, number])
        top, left = torch.from_numpy((draws["corner"][rows, number] * room).astype(int)).unbind(-1)
        windows = self.patterns.unfold(2, height, 1).unfold(3, width, 1)
        return windows[which, :, top, left]

    def _draw(self, ids: tuple[str, ...]) -> dict[str, np.ndarray]:
        """Everything random about a batch, by name; a sample a row."""
        from windtunnel.recipes.augmentation.tables import AUGMIX

        settings, rounds, rows = self.settings, self.settings.rounds, []
        for random in self.fitting.draws("pixmix", ids):
            changed, inside = random.random(rounds + 1) < 0.5, random.random(rounds) < 0.5
            strong, weak = random.beta(settings.beta, 1, rounds), random.beta(1, settings.beta, (2, rounds))
            rows.append(
                {
                    "rounds": random.integers(0, rounds + 1),
                    "changed": changed,
                    "own": changed[1:],
                    "operation": random.integers(0, len(AUGMIX), rounds + 1),
                    "level": random.uniform(0.1, settings.severity, rounds + 1) * (1 - 2 * random.integers(0, 2, rounds + 1)),
                    "first": np.where(inside, strong, 1 + weak[0]),
                    "second": np.where(inside, weak[1], -weak[1]),
                    "adds": random.random(rounds) < 0.5,
                    "pattern": random.integers(0, settings.patterns, rounds),
                    "corner": random.random((rounds, 2)),
                }
            )
        return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def added(images: Tensor, others: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """The sum of images and others, weighted about the middle grey and clipped.

    Shapes:
        images and others (batch, channel, height, width), float in [0, 1]; first and second, the weights, (batch, 1, 1, 1).
    """
    return ((first * (2 * images - 1) + second * (2 * others - 1) + 1) / 2).clamp(0, 1)


def multiplied(images: Tensor, others: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """The product of powers of images and others, about the middle grey and clipped; shapes as in `added`."""
    return ((2 * images) ** first * (2 * others).clamp_min(LEAST) ** second / 2).clamp(0, 1)
