"""Victim: a frozen classifier under evaluation, images or texts in, logits out, every pass counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from windtunnel.core.texts import Texts
from windtunnel.errors import VictimError

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from windtunnel.core.batch import Rows
    from windtunnel.core.classes import Groups


@dataclass
class Meter:
    """Counts sample-passes through a victim.

    Args:
        forward: samples that went through the network.
        backward: samples whose gradient came back through it.
        queries: those of `forward` that a black-box attack asked.
    """

    forward: int = 0
    backward: int = 0
    queries: int = 0

    def since(self, before: Meter) -> Meter:
        """What was added after `before` was read."""
        return Meter(self.forward - before.forward, self.backward - before.backward, self.queries - before.queries)


class Victim:
    """A frozen classifier.

    Args:
        module: float (batch, channel, height, width) in [0, 1], or `Texts`, to logits (batch, class); its own preprocessing inside.
        classes: class names, if known.
        name: shown in messages.
    Raises:
        VictimError: the module is in training mode.
    """

    def __init__(self, module: nn.Module, *, classes: tuple[str, ...] = (), name: str = "victim") -> None:
        self.module = module
        self.classes = classes
        self.name = name
        self.refuse_training()
        self.meter = Meter()
        self.network = metered(module, self.meter)

    @classmethod
    def of(cls, thing: Any, *, name: str = "victim") -> Victim:
        """A victim from a Victim, an `nn.Module`, a Hugging Face model or a plain function from inputs to logits.

        A module is evaluated as it is; put it into evaluation mode first. A module is given texts as `Texts`, a function as a list of
        strings, or of tuples of strings where a sample has several fields.
        """
        if isinstance(thing, Victim):
            return thing
        from torch import nn

        if isinstance(thing, nn.Module):
            return cls(thing, name=name)
        if callable(thing):
            return cls(_function_module(thing), name=name)
        raise VictimError(f"A {type(thing).__name__} is not a classifier; give a Victim, a torch.nn.Module or a function from inputs to logits.")

    def on(self, classes: tuple[str, ...]) -> Victim:
        """The victim as a classifier of some of its classes, in their order: the other logits do not compete.

        Raises:
            DataError: a class that it does not know.
        """
        from windtunnel.core.classes import groups

        found = groups(self.classes, classes)
        return self if found is None else Victim(_selecting(self.module, found), classes=classes, name=self.name)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """No parameter collects a gradient inside the block; each is as it was afterwards."""
        live = [parameter for parameter in self.module.parameters() if parameter.requires_grad]
        for parameter in live:
            parameter.requires_grad_(False)
        try:
            yield
        finally:
            for parameter in live:
                parameter.requires_grad_(True)

    @contextmanager
    def queried(self) -> Iterator[None]:
        """Forward passes inside the block are queries of a black-box attack."""
        before = self.meter.forward
        try:
            yield
        finally:
            self.meter.queries += self.meter.forward - before

    @property
    def device(self) -> torch.device:
        """Where the network's tensors live."""
        import torch

        for tensor in (*self.module.parameters(), *self.module.buffers()):
            device: torch.device = tensor.device
            return device
        return torch.device("cpu")

    def refuse_training(self) -> None:
        """Raise VictimError if any part of the network is in training mode."""
        if any(part.training for part in self.module.modules()):
            raise VictimError(
                f"{self.name} is in training mode: dropout and batch statistics would change its answers. Call .eval() on it before it is evaluated."
            )

    def logits(self, inputs: Rows) -> Tensor:
        """Logits without gradient, float, shape (batch, class).

        Raises:
            VictimError: training mode, NaN or infinite logits, or another shape.
        """
        import torch

        self.refuse_training()
        with torch.no_grad():
            logits: Tensor = self.network(inputs)
        self._check(logits, inputs)
        return logits

    def gradient(self, inputs: Tensor, objective: Callable[[Tensor], Tensor], passes: int = 1) -> tuple[Tensor, Tensor, Tensor]:
        """Logits, a figure of each sample's logits, and the gradient of that figure by the sample's input.

        Args:
            objective: logits (batch, class) to one value per sample, (batch,), each from its own row.
            passes: forward and backward passes averaged, for networks that draw at random (expectation over transformation).
        Shapes:
            inputs (batch, ...); returns (batch, class), (batch,) and (batch, ...), detached. A network that passes no gradient back
            gets one of zero.
        Raises:
            VictimError: as for `logits`.
        Source:
            Athalye et al. 2018, arXiv 1802.00420, section 4.2, for the average.
        """
        import torch

        self.refuse_training()
        answers, values, slopes = [], [], []
        for _ in range(passes):
            with torch.enable_grad():
                at = inputs.detach().requires_grad_(True)
                logits: Tensor = self.network(at)
                self._check(logits, inputs)
                value = objective(logits)
            slope = torch.autograd.grad(value.sum(), at, allow_unused=True)[0] if value.requires_grad else None
            answers.append(logits.detach())
            values.append(value.detach())
            slopes.append(torch.zeros_like(at) if slope is None else slope)
        if passes == 1:
            return answers[0], values[0], slopes[0]
        return torch.stack(answers).mean(0), torch.stack(values).mean(0), torch.stack(slopes).mean(0)

    def slopes(self, inputs: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
        """Logits, and the gradients of some of them by the input, from one forward pass.

        Shapes:
            inputs (batch, ...); classes (batch, wanted), a row of class indices for each sample; returns (batch, class) and
            (batch, wanted, ...), detached.
        Raises:
            VictimError: as for `logits`.
        """
        import torch

        self.refuse_training()
        with torch.enable_grad():
            at = inputs.detach().requires_grad_(True)
            logits: Tensor = self.network(at)
            self._check(logits, inputs)
            wanted = logits.gather(1, classes)
        count = classes.shape[1]
        if not wanted.requires_grad:
            return logits.detach(), torch.zeros_like(inputs)[:, None].expand(-1, count, *inputs.shape[1:])
        found = [torch.autograd.grad(wanted[:, place].sum(), at, retain_graph=place < count - 1)[0] for place in range(count)]
        return logits.detach(), torch.stack(found, 1)

    def _check(self, logits: Tensor, inputs: Rows) -> None:
        import torch

        if logits.ndim != 2 or len(logits) != len(inputs):
            raise VictimError(f"{self.name} answered with shape {tuple(logits.shape)} for {len(inputs)} inputs; expected ({len(inputs)}, classes).")
        if not bool(torch.isfinite(logits).all()):
            raise VictimError(f"{self.name} answered with NaN or infinite logits; a robustness number over them would mean nothing.")


def metered(module: nn.Module, meter: Meter) -> nn.Module:
    """Wrap a network so that it counts into `meter`; a Hugging Face output is reduced to its logits."""
    import torch
    from torch import nn

    class Count(torch.autograd.Function):
        """The identity, counting samples in both directions."""

        @staticmethod
        def forward(ctx: Any, inputs: Tensor) -> Tensor:
            return inputs.view_as(inputs)

        @staticmethod
        def backward(ctx: Any, *gradients: Tensor) -> Tensor:
            meter.backward += len(gradients[0])
            return gradients[0]

    class Metered(nn.Module):
        """The network under measurement."""

        def __init__(self) -> None:
            super().__init__()
            self.module = module

        def forward(self, inputs: Rows) -> Tensor:
            meter.forward += len(inputs)
            followed = isinstance(inputs, torch.Tensor) and inputs.requires_grad
            answer = self.module(Count.apply(inputs) if followed else inputs)
            logits: Tensor = answer if isinstance(answer, torch.Tensor) else answer.logits
            return logits

    network = Metered()
    network.training = module.training  # not .train(), which would switch the user's own layers
    return network


def _selecting(module: nn.Module, groups: Groups) -> nn.Module:
    """The network with one logit for each group of its own: the largest."""
    import torch
    from torch import nn

    class Selecting(nn.Module):
        """A view of a classifier's logits."""

        places: Tensor

        def __init__(self) -> None:
            super().__init__()
            self.module = module
            # Short groups repeat a member, which changes no maximum.
            width = max(len(group) for group in groups)
            places = torch.tensor([[group[min(place, len(group) - 1)] for place in range(width)] for group in groups])
            self.register_buffer("places", places, persistent=False)

        def forward(self, inputs: Rows) -> Tensor:
            answer = self.module(inputs)
            logits: Tensor = answer if isinstance(answer, torch.Tensor) else answer.logits
            return logits[:, self.places.to(logits.device)].amax(2)

    selecting = Selecting()
    selecting.training = module.training
    return selecting


def _function_module(function: Callable[[Any], Tensor]) -> nn.Module:
    from torch import nn

    class Function(nn.Module):
        """A plain function as a module."""

        def forward(self, inputs: Rows) -> Tensor:
            return function(inputs.plain() if isinstance(inputs, Texts) else inputs)

    return Function().eval()
