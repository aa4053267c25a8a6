"""Victims whose right answers are known, and victims that are broken on purpose."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from windtunnel.core.ball import steepest
from windtunnel.core.batch import Batch

SHAPE = (1, 8, 8)


class Linear(nn.Module):
    """Two classes with logits (-f/2, f/2), where f(x) = w.x + b."""

    def __init__(self, weight: Tensor, bias: float) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.bias = bias

    def margin(self, inputs: Tensor) -> Tensor:
        return inputs.flatten(1) @ self.weight + self.bias

    def forward(self, inputs: Tensor) -> Tensor:
        half = self.margin(inputs) / 2
        return torch.stack([-half, half], 1)


def linear(scale: float = 1.0, seed: int = 0) -> Linear:
    """A linear module whose decision boundary goes through the grey image 0.5."""
    stream = torch.Generator().manual_seed(seed)
    weight = torch.randn(64, generator=stream) * scale
    return Linear(weight, float(-0.5 * weight.sum())).eval()


def at_distances(module: Linear, norm: str, distances: list[float]) -> Batch:
    """Samples whose smallest change in `norm` that reaches the boundary has exactly these lengths; signs alternate.

    They lie on the shortest way to the boundary from around 0.5, near enough to it that [0, 1] does not bind.
    """
    shortest = steepest(norm, module.weight[None])[0]
    signs = torch.tensor([1.0 if row % 2 else -1.0 for row in range(len(distances))])
    moves = signs * torch.tensor(distances)
    inputs = (0.5 + moves[:, None] * shortest).view(-1, *SHAPE)
    return Batch(inputs, (moves > 0).long(), tuple(f"s{row}" for row in range(len(distances))))


class Convolutional(nn.Module):
    """A small convolutional network with fixed random weights; `gain` spreads its logits."""

    def __init__(self, classes: int, channels: int, seed: int, gain: float) -> None:
        super().__init__()
        stream = torch.Generator().manual_seed(seed)
        self.first = nn.Parameter(torch.randn(8, channels, 3, 3, generator=stream) / 3)
        self.second = nn.Parameter(torch.randn(classes, 8, 3, 3, generator=stream) * gain / 8)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = nn.functional.conv2d(inputs - 0.5, self.first, padding=1).relu()
        found: Tensor = nn.functional.conv2d(hidden, self.second, stride=2).mean((2, 3))
        return found


def convolutional(classes: int = 10, channels: int = 1, seed: int = 0, gain: float = 8.0) -> Convolutional:
    return Convolutional(classes, channels, seed, gain).eval()


def images(count: int, shape: tuple[int, int, int] = SHAPE, seed: int = 1) -> Tensor:
    """Random inputs with exact black and white in them, as real images have."""
    drawn = torch.rand((count, *shape), generator=torch.Generator().manual_seed(seed))
    return (drawn * 1.4 - 0.2).clamp(0, 1)


def answered(module: nn.Module, inputs: Tensor) -> Batch:
    """Inputs labelled by what the module says, so that it is right everywhere."""
    with torch.no_grad():
        return Batch(inputs, module(inputs).argmax(1), tuple(f"s{row}" for row in range(len(inputs))))


class Quantised(nn.Module):
    """Masks gradients: a staircase has a slope of zero wherever it has one."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, inputs: Tensor) -> Tensor:
        found: Tensor = self.inner((inputs * 255).round() / 255)
        return found


class Detached(Quantised):
    """Masks gradients: none comes back at all."""

    def forward(self, inputs: Tensor) -> Tensor:
        found: Tensor = self.inner(inputs.detach())
        return found


class Softmax(Quantised):
    """Answers with probabilities."""

    def forward(self, inputs: Tensor) -> Tensor:
        found: Tensor = self.inner(inputs).softmax(1)
        return found


class Counting(Quantised):
    """Changes its own buffer whenever it is asked."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__(inner)
        self.register_buffer("asked", torch.zeros(1))

    def forward(self, inputs: Tensor) -> Tensor:
        self.asked += 1
        found: Tensor = self.inner(inputs)
        return found


class Noisy(Quantised):
    """Draws from torch's global generator on every pass."""

    def forward(self, inputs: Tensor) -> Tensor:
        found: Tensor = self.inner(inputs + 0.01 * torch.randn_like(inputs))
        return found


class Clipped(Quantised):
    """Cuts its logits off."""

    def forward(self, inputs: Tensor) -> Tensor:
        found: Tensor = self.inner(inputs).clamp(-1, 1)
        return found


class _Ones(torch.autograd.Function):
    """The identity, with a gradient of one whatever came back."""

    @staticmethod
    def forward(ctx, inputs: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
        return inputs.view_as(inputs)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
        return torch.ones_like(gradient)


class _Minus(_Ones):
    """The identity, with the gradient turned round."""

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
        return -gradient


class ConstantGradient(Quantised):
    """Masks gradients: the same one comes back for every sample."""

    def forward(self, inputs: Tensor) -> Tensor:
        found: Tensor = self.inner(_Ones.apply(inputs))
        return found


class Purifying(Quantised):
    """Takes a gradient step on its input before it answers."""

    def forward(self, inputs: Tensor) -> Tensor:
        with torch.enable_grad():
            at = inputs.detach().requires_grad_(True)
            (slope,) = torch.autograd.grad(self.inner(at).amax(1).sum(), at)
        found: Tensor = self.inner((inputs + 0.01 * slope.sign()).clamp(0, 1))
        return found


class Reversed(Quantised):
    """Masks gradients: they point away from every mistake."""

    def forward(self, inputs: Tensor) -> Tensor:
        found: Tensor = self.inner(_Minus.apply(inputs))
        return found
