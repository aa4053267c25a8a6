"""Heads: several settings of a training of the head alone, carried out as one, each bit for bit as alone. Imports torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn.functional import dropout

from windtunnel.core.part import Answer, Criterion, Fitting, Minibatch
from windtunnel.core.recipe import Epoch
from windtunnel.recipes.optimizer import BETAS, EPS, schedule
from windtunnel.recipes.order import Batches
from windtunnel.recipes.supervised import Supervised
from windtunnel.recipes.training import EXPLODED, Trained
from windtunnel.seeding import reseed, scoped


@dataclass
class _Head:
    """One head with its AdamW.

    Args:
        recipe: says rate and decay.
        weight, bias: its parameters.
        slopes: buffers for their gradients.
        steps: how many are done, counted for all heads.
        trained: what comes of it.
        lost: whether it diverged.
    """

    recipe: Supervised
    weight: Tensor
    bias: Tensor
    slopes: list[Tensor]
    steps: list[Tensor]
    trained: Trained = field(default_factory=Trained)
    lost: bool = False

    def __post_init__(self) -> None:
        self.pace = _pace(self.recipe)
        self.turned = self.weight.t()
        self.parameters = [self.weight, self.bias]
        self.means, self.squares = ([torch.zeros_like(each) for each in self.parameters] for _ in range(2))

    def step(self, rate: float) -> None:
        """A step of torch.optim.AdamW in its fused form, without the looking up, which at this size takes most of the time."""
        torch._fused_adamw_(
            self.parameters,
            self.slopes,
            self.means,
            self.squares,
            [],
            self.steps,
            lr=rate,
            beta1=BETAS[0],
            beta2=BETAS[1],
            weight_decay=self.recipe.weight_decay,
            eps=EPS,
            amsgrad=False,
            maximize=False,
        )

    def judge(self, epoch: Epoch) -> None:
        """Note the figures of an epoch, and keep the state if it is the best."""
        trained = self.trained
        trained.curves.append(epoch)
        self.lost = self.lost or not math.isfinite(epoch.train_loss) or epoch.train_loss > EXPLODED
        if self.recipe.select.last or epoch.val_accuracy > trained.best_figure:
            trained.best_figure, trained.best_epoch, trained.best = epoch.val_accuracy, epoch.epoch, self.state()

    def state(self) -> dict[str, Tensor]:
        """A copy on the CPU."""
        return {"head.weight": self.weight.cpu().clone(), "head.bias": self.bias.cpu().clone()}

    def ended(self) -> Trained | None:
        """What came of it; None if it diverged. A weight that is not finite stays so."""
        if self.lost or not all(bool(each.isfinite().all()) for each in self.parameters):
            return None
        self.trained.last = self.state()
        return self.trained


@dataclass(frozen=True)
class _Room:
    """What is written to in every step anew.

    Args:
        logits: (heads, batch, classes).
        places: of each head in them.
        share: of each loss in the mean over its batch, (heads x batch,).
        slopes: of the mean losses by the logits, like these.
        turned: of each head, (classes, batch).
    """

    logits: Tensor
    places: tuple[Tensor, ...]
    share: Tensor
    slopes: Tensor
    turned: tuple[Tensor, ...]


def _pace(recipe: Supervised) -> tuple[str, float]:
    """What the course of the rate hangs on; heads mostly share it."""
    return recipe.schedule, recipe.warmup


class Heads:
    """Heads that start alike and see the same features in the same order, each with its own rate, decay and schedule.

    Each is multiplied by itself: in one large product, sums would be taken in another order.

    Args:
        fitting: a network without backbone, whose head all start from.
        recipes: those of the heads, alike but for what `Supervised.together` leaves out.
        criterion: takes the samples of all heads at once.
        batches: epoch to minibatches of features.
    """

    def __init__(self, fitting: Fitting, recipes: Sequence[Supervised], criterion: Criterion, batches: Batches) -> None:
        self.fitting, self.criterion, self.batches = fitting, criterion, batches
        weight, bias = fitting.network.head.weight.detach(), fitting.network.head.bias.detach()
        self.steps, total = torch.zeros((), device=bias.device), fitting.epochs * fitting.steps
        self.paces = {_pace(recipe): schedule(recipe, total) for recipe in recipes}
        self.rooms: dict[int, _Room] = {}
        self.biases = bias.new_zeros(len(recipes), len(bias))  # slopes of all of them
        self.heads = [
            _Head(recipe, weight.clone(), bias.clone(), [torch.zeros_like(weight), slope], [self.steps, self.steps])
            for recipe, slope in zip(recipes, self.biases.unbind(), strict=True)
        ]

    @torch.no_grad()
    def run(self) -> list[Trained | None]:
        """Train; None for a head that diverged."""
        with scoped(self.fitting.seed, "finetune", self.fitting.stage):
            for epoch in range(1, self.fitting.epochs + 1):
                self._epoch(epoch)
        return [head.ended() for head in self.heads]

    def _epoch(self, epoch: int) -> None:
        fitting = self.fitting
        fitting.epoch = epoch
        total, seen = torch.zeros(len(self.heads), dtype=torch.float64), 0
        for fitting.step, minibatch in enumerate(self.batches(epoch)):
            total += self._step(minibatch) * len(minibatch)
            seen += len(minibatch)
        for head, loss, accuracy in zip(self.heads, (total / seen).tolist(), self._accuracies(), strict=True):
            head.judge(Epoch(fitting.stage, epoch, loss, accuracy))

    def _step(self, minibatch: Minibatch) -> Tensor:
        """One step of every head; their losses before it."""
        fitting, count = self.fitting, len(self.heads)
        features: Tensor = minibatch.inputs
        if share := fitting.network.dropout.p:
            reseed(fitting.seed, "step", fitting.stage, fitting.epoch, fitting.step)
            features = dropout(features, share)
        room = self._room(len(features))
        losses = self._losses(room, features, minibatch.labels)
        torch.sum(room.slopes, 1, out=self.biases)
        self.steps += 1
        factors = {pace: factor(fitting.past) for pace, factor in self.paces.items()}
        for head, slope in zip(self.heads, room.turned, strict=True):
            torch.mm(slope, features, out=head.slopes[0])
            head.step(head.recipe.lr * factors[head.pace])
        return losses.view(count, -1).mean(1).double().cpu()

    def _losses(self, room: _Room, features: Tensor, labels: Tensor) -> Tensor:
        """Losses of all samples under each head, (heads x batch,); the room holds their slopes by the logits."""
        flat = self._logits(room, features).view(-1, self.biases.shape[1]).requires_grad_()
        with torch.enable_grad():
            losses = self.criterion(Answer(flat, features), Minibatch(features, labels.expand(len(self.heads), -1).reshape(-1), ()))
        (slopes,) = torch.autograd.grad(losses, flat, room.share)
        room.slopes.copy_(slopes.view_as(room.slopes))
        return losses.detach()

    def _logits(self, room: _Room, features: Tensor) -> Tensor:
        """(heads, batch, classes)."""
        for head, place in zip(self.heads, room.places, strict=True):
            torch.addmm(head.bias, features, head.turned, out=place)
        return room.logits.detach()

    def _room(self, count: int) -> _Room:
        """Room for a batch of so many samples; those of training come in two sizes at most, and so do those of validation."""
        if count not in self.rooms:
            logits = self.biases.new_empty(len(self.heads), count, self.biases.shape[1])
            share, slopes = torch.ones_like(logits[:, :, 0]).view(-1) / count, torch.empty_like(logits)
            self.rooms[count] = _Room(logits, logits.unbind(), share, slopes, slopes.transpose(1, 2).unbind())
        return self.rooms[count]

    def _accuracies(self) -> list[float]:
        right = torch.zeros(len(self.heads), dtype=torch.long)
        for minibatch in self.fitting.validation():
            right += (self._logits(self._room(len(minibatch)), minibatch.inputs).argmax(2) == minibatch.labels).sum(1).cpu()
        return [each / len(self.fitting.val) for each in right.tolist()]
