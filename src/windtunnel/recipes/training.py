"""The training loop that all stages share: one step after the other, best and last state, curves, early stopping. Imports torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor, nn

from windtunnel.core.part import Criterion, Fitting, Minibatch, Score
from windtunnel.core.recipe import Epoch
from windtunnel.errors import RecipeError
from windtunnel.recipes.ahead import ahead
from windtunnel.recipes.optimizer import optimizer_for, schedule
from windtunnel.recipes.order import Batches
from windtunnel.recipes.supervised import Supervised
from windtunnel.seeding import reseed, scoped

State = dict[str, Tensor]

EXPLODED = 1e4
"""A mean loss of an epoch above it is divergence, even while it is finite; a wild guess among a thousand classes costs 7. Ours."""


@dataclass
class Trained:
    """States and curves of one stage, and in how many parts its batches were worked through."""

    best: State = field(default_factory=dict)
    last: State = field(default_factory=dict)
    best_epoch: int = 0
    best_figure: float = -1.0
    curves: list[Epoch] = field(default_factory=list)
    pieces: int = 1


@dataclass
class Loop:
    """A stage that runs.

    Args:
        fitting: what its parts see; its network is trained in place.
        recipe: the stage's settings.
        criterion: the loss of each sample.
        judge: figures of the network after an epoch.
        batches: epoch to minibatches.
        moving: epoch to the parameters of the network that move in it.
        depths: id of a parameter to how many blocks it is away from the head.
        progress: called with (epochs done, epochs in all).
        watch: called with the figures of an epoch that is over.
        pieces: parts that a batch is worked through in.
        weight: share of the batch that the part at hand is.
    """

    fitting: Fitting
    recipe: Supervised
    criterion: Criterion
    judge: Callable[[], Score]
    batches: Batches
    moving: Callable[[int], Sequence[nn.Parameter]]
    depths: Mapping[int, int]
    progress: Callable[[int, int], None]
    watch: Callable[[Epoch], None]
    trained: Trained = field(default_factory=Trained)
    pieces: int = 1
    weight: float = 1.0

    def __post_init__(self) -> None:
        self.network, self.hooks = self.fitting.network, self.fitting.hooks
        self.replays, self.epochs = self.recipe.replays, self.fitting.epochs
        self.pieces = self.recipe.accumulate
        every = {id(each): each for epoch in range(1, self.epochs + 1) for each in self.moving(epoch)}
        own = [each for hook in self.hooks for each in hook.parameters()]
        spared = [each for hook in self.hooks for each in hook.undecayed()]
        self.optimizer = optimizer_for(self.recipe, [*every.values(), *own], spared, self.depths)
        self.factor = schedule(self.recipe, self.epochs * self.fitting.steps)
        self.scaler = torch.amp.GradScaler(
            self.fitting.device.type, enabled=self.recipe.precision == "float16" and self.fitting.device.type == "cuda"
        )
        self.fitting.backward = self._backward

    def run(self, done: int = 0, ended: Callable[[int], None] = lambda epoch: None) -> Trained:
        """Train; the network is left in evaluation mode holding the kept state.

        Args:
            done: epochs that are behind already.
            ended: told after each epoch.
        Raises:
            RecipeError: the loss became NaN, infinite or huge, or a weight that moves no longer is a finite number.
        """
        with scoped(self.fitting.seed, "finetune", self.fitting.stage):
            for epoch in range(done + 1, self.epochs + 1):
                if self.recipe.patience is not None and epoch - 1 - self.trained.best_epoch >= self.recipe.patience:
                    break
                loss = self._epoch(epoch)
                self._judge(epoch, loss)
                self.watch(self.trained.curves[-1])
                self.progress(epoch, self.epochs)
                ended(epoch)
        for hook in self.hooks:
            hook.ended()
        self.trained.last = self.trained.last or snapshot(self.network)
        self.network.load_state_dict(self.trained.best)
        self.trained.pieces = self.pieces
        return self.trained

    def _epoch(self, epoch: int) -> float:
        self.fitting.epoch = epoch
        train_mode(self.network, self.moving(epoch))
        total, seen = torch.zeros((), dtype=torch.float64), 0
        minibatches = self._augmented(self.batches(epoch))
        for step, minibatch in enumerate(ahead(minibatches) if self._slow else minibatches):
            for replay in range(self.replays):
                self.fitting.step = step * self.replays + replay
                total += self._step(minibatch) * len(minibatch)
                seen += len(minibatch)
        mean = float(total / seen)
        self._refuse_divergence(mean)
        for hook in self.hooks:
            hook.epoch_ended()
        return mean

    def _refuse_divergence(self, loss: float) -> None:
        where = f"in epoch {self.fitting.epoch} of stage {self.fitting.stage!r}. Try a smaller lr than {self.recipe.lr}."
        if not math.isfinite(loss) or loss > EXPLODED:
            raise RecipeError(f"The training loss became {loss:.3g} {where}")
        # The last step's harm is in no loss yet.
        if not all(bool(each.isfinite().all()) for each in self.moving(self.fitting.epoch)):
            raise RecipeError(f"Weights became infinite or NaN {where}")

    @property
    def _slow(self) -> bool:
        """Whether minibatches take long enough to make that it is worth a thread of its own, which slows small steps by a tenth."""
        return bool(self.recipe.augment) or not self.fitting.train.in_memory

    def _augmented(self, minibatches: Iterator[Minibatch]) -> Iterator[Minibatch]:
        for minibatch in minibatches:
            for hook in self.hooks:
                minibatch = hook.augment(minibatch)
            yield minibatch

    def _step(self, minibatch: Minibatch) -> Tensor:
        """One step of the optimiser; the loss before it."""
        self._reseed()
        factor = self.factor(self.fitting.past)
        for hook in self.hooks:
            factor = hook.paced(factor)
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.lr * factor * group["factor"]
        for hook in self.hooks:
            minibatch = hook.perturb(minibatch)
        loss = self._gradient(minibatch)
        climbing = [hook for hook in self.hooks if hook.climbs]
        if climbing:
            for hook in climbing:
                hook.climb()
            self._gradient(minibatch)
            for hook in reversed(climbing):
                hook.settle()
        if self.recipe.clip is not None:
            self.scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_([each for group in self.optimizer.param_groups for each in group["params"]], self.recipe.clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        for hook in self.hooks:
            hook.stepped()
        return loss

    def _reseed(self) -> None:
        """Key what dropout and stochastic depth draw, which can only draw from global state, by the step."""
        fitting = self.fitting
        reseed(fitting.seed, "step", fitting.stage, fitting.epoch, fitting.step)

    def _gradient(self, minibatch: Minibatch) -> Tensor:
        """Gradients of the objective, worked through in parts; more of them whenever memory does not suffice."""
        while True:
            try:
                self.optimizer.zero_grad(set_to_none=True)
                total = torch.zeros((), dtype=torch.float64)
                for piece in _pieces(minibatch, self.pieces):
                    self.weight = len(piece) / len(minibatch)
                    with self._precision():
                        loss = self._objective(piece)
                    self._backward(loss)
                    total += loss.detach().double().cpu() * self.weight
                return total
            except torch.OutOfMemoryError:
                if self.pieces >= len(minibatch):
                    raise
                self.pieces *= 2
                self._reseed()  # what was drawn before memory ran out is drawn again

    def _objective(self, minibatch: Minibatch) -> Tensor:
        objective = self._fitted
        for hook in self.hooks:
            objective = partial(hook.objective, inner=objective)
        return objective(minibatch)

    def _fitted(self, minibatch: Minibatch) -> Tensor:
        """Criterion and penalties."""
        answer = self.fitting.answer(minibatch)
        losses = self.criterion(answer, minibatch)
        if minibatch.share is not None and minibatch.other is not None:
            mixed_in = self.criterion(answer, Minibatch(minibatch.inputs, minibatch.other, minibatch.ids))
            losses = minibatch.share * losses + (1 - minibatch.share) * mixed_in
        total = losses.mean()
        for hook in self.hooks:
            penalty = hook.penalty(minibatch, answer)
            total = total if penalty is None else total + penalty
        return total

    def _backward(self, loss: Tensor) -> None:
        self.scaler.scale(loss * self.weight).backward()  # type: ignore[no-untyped-call]  # torch does not annotate it

    @contextmanager
    def _precision(self) -> Iterator[None]:
        if self.recipe.precision == "float32":
            yield
        else:
            with torch.autocast(self.fitting.device.type, getattr(torch, self.recipe.precision)):
                yield

    def _judge(self, epoch: int, loss: float) -> None:
        """Figures of the epoch, of averaged weights where there are any; the kept state if it is the best."""
        trained, network = self.trained, self.network
        average = next((found for hook in self.hooks if (found := hook.averaged()) is not None), None)
        own = snapshot(network) if average is not None else {}
        if average is not None:
            network.load_state_dict(average)
        network.eval()
        score = self.judge()
        trained.curves.append(Epoch(self.fitting.stage, epoch, loss, score.accuracy, score.robust))
        if self.recipe.select.last or score.selects > trained.best_figure:
            trained.best_figure, trained.best_epoch, trained.best = score.selects, epoch, snapshot(network)
        if average is not None:
            trained.last = snapshot(network)
            network.load_state_dict(own)


def _pieces(minibatch: Minibatch, count: int) -> Iterator[Minibatch]:
    if count == 1:
        yield minibatch
        return
    size = math.ceil(len(minibatch) / count)
    for start in range(0, len(minibatch), size):
        yield minibatch.part(slice(start, start + size))


def train_mode(network: nn.Module, moving: Sequence[nn.Parameter]) -> None:
    """Let only `moving` collect gradients; modules of which nothing moves stay in evaluation mode, their batch statistics as they are."""
    held = {id(parameter) for parameter in moving}
    for parameter in network.parameters():
        parameter.requires_grad_(id(parameter) in held)
    network.train()
    _freeze(network)


def _freeze(module: nn.Module) -> None:
    parameters = list(module.parameters())
    if parameters and not any(parameter.requires_grad for parameter in parameters):
        module.eval()
        return
    for child in module.children():
        _freeze(child)


def snapshot(module: nn.Module) -> State:
    """A copy of the state on the CPU."""
    return {name: tensor.detach().cpu().clone() for name, tensor in module.state_dict().items()}
