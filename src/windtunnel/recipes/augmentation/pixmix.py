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

        draws = self._draw(minibatch.ids)
        images, rounds = minibatch.inputs, self.settings.rounds
        # Versions of each image: one to start from and one for every round, changed by one operation or not.
        versions = images[:, None].expand(-1, rounds + 1, -1, -1, -1).flatten(0, 1)
        versions = self._changed(versions, draws).unflatten(0, (-1, rounds + 1))
        mixed = versions[:, 0]
        cropped = self._crops(draws, *images.shape[2:])
        for number in range(rounds):
            own = torch.from_numpy(draws["own"][:, number]).to(images.device).view(-1, 1, 1, 1)
            other = torch.where(own, versions[:, number + 1], cropped[:, number])
            rows = torch.from_numpy(draws["rounds"] > number).to(images.device)
            weights = [torch.from_numpy(draws[name][:, number]).to(images) for name in ("first", "second", "adds")]
            mixed = torch.where(rows.view(-1, 1, 1, 1), combined(mixed, other, *weights), mixed)
        return replace(minibatch, inputs=mixed)

    def _changed(self, versions: Tensor, draws: dict[str, np.ndarray]) -> Tensor:
        from windtunnel.recipes.augmentation.mixtures import chained

        return chained(versions, *(draws[name].reshape(-1, *draws[name].shape[2:]) for name in ("depth", "operation", "level")))

    def _crops(self, draws: dict[str, np.ndarray], height: int, width: int) -> Tensor:
        """One window of a fractal for each image and round."""
        import torch

        room = np.array(self.patterns.shape[2:]) - (height, width) + 1
        which = torch.from_numpy(draws["pattern"])
        top, left = torch.from_numpy((draws["corner"] * room).astype(int)).unbind(-1)
        windows = self.patterns.unfold(2, height, 1).unfold(3, width, 1)
        return windows[which, :, top, left]

    def _draw(self, ids: tuple[str, ...]) -> dict[str, np.ndarray]:
        """Everything random about a batch, by name; a sample a row."""
        from windtunnel.recipes.augmentation.tables import AUGMIX

        settings = self.settings
        rounds, rows = settings.rounds, []
        for random in self.fitting.draws("pixmix", ids):
            own = random.random(rounds + 1) < 0.5
            inside = random.random(rounds) < 0.5
            strong, weak = random.beta(settings.beta, 1, rounds), random.beta(1, settings.beta, (2, rounds))
            rows.append(
                {
                    "rounds": random.integers(0, rounds + 1),
                    "depth": own,
                    "own": own[1:],
                    "operation": random.integers(0, len(AUGMIX), (rounds + 1, 1)),
                    "level": random.uniform(0.1, settings.severity, (rounds + 1, 1)) * random.choice([-1, 1], (rounds + 1, 1)),
                    "first": np.where(inside, strong, 1 + weak[0]),
                    "second": np.where(inside, weak[1], -weak[1]),
                    "adds": random.random(rounds) < 0.5,
                    "pattern": random.integers(0, settings.patterns, rounds),
                    "corner": random.random((rounds, 2)),
                }
            )
        return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def combined(images: Tensor, others: Tensor, first: Tensor, second: Tensor, adds: Tensor) -> Tensor:
    """Images mixed with others: by a weighted sum about the middle grey, or by a product of powers about it.

    Shapes:
        images and others (batch, channel, height, width), float in [0, 1]; first and second, the weights or powers, and adds, which chooses
        the sum where it is 1, (batch,).
    """
    import torch

    first, second, adds = (each.view(-1, 1, 1, 1) for each in (first, second, adds))
    total = (first * (2 * images - 1) + second * (2 * others - 1) + 1) / 2
    product = (2 * images).clamp_min(LEAST) ** first * (2 * others).clamp_min(LEAST) ** second / 2
    return torch.where(adds > 0, total, product).clamp(0, 1)
