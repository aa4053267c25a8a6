"""Part: one piece of a composed recipe, such as a loss or an augmentation, and what it does while training runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from windtunnel.core.batch import joined
from windtunnel.core.configured import Configured
from windtunnel.core.modality import ANY, IMAGE, TEXT
from windtunnel.errors import RecipeError, ResourceError

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import Tensor, nn

    from windtunnel.core.dataset import Dataset
    from windtunnel.core.network import Network
    from windtunnel.core.recipe import Material
    from windtunnel.core.resource import Resource
    from windtunnel.core.threat import Threat
    from windtunnel.seeding import Generators


@dataclass(frozen=True)
class Minibatch:
    """What one step trains on; augmentation and perturbation each make a new one.

    Args:
        inputs: images in [0, 1] or `Texts`.
        labels: class indices, (batch,).
        ids: one stable name per sample.
        clean: the inputs before a perturbation that knows the network.
        perturbed: what a perturbation made of them, where `inputs` are trained on, too.
        views: further versions of the same samples, which go through the network with them.
        other: for mixtures, the labels of what is mixed in, (batch,).
        share: for mixtures, how much of each sample is its own, (batch,), in [0, 1]; the loss is mixed alike.
        partner: for mixtures made behind the inputs, the rows that are mixed in, (batch,).
    """

    inputs: Any
    labels: Tensor
    ids: tuple[str, ...]
    clean: Any = None
    perturbed: Any = None
    views: tuple[Any, ...] = ()
    other: Tensor | None = None
    share: Tensor | None = None
    partner: Tensor | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def part(self, rows: slice) -> Minibatch:
        """Some consecutive samples.

        Raises:
            RecipeError: samples that are mixed behind the inputs cannot be parted.
        """
        if self.partner is not None:
            raise RecipeError("Samples that are mixed inside the network cannot be worked through in parts; use `accumulate: 1` and a smaller batch.")
        other, share = (None if each is None else each[rows] for each in (self.other, self.share))
        clean, perturbed = (None if each is None else each[rows] for each in (self.clean, self.perturbed))
        views = tuple(view[rows] for view in self.views)
        return Minibatch(self.inputs[rows], self.labels[rows], self.ids[rows], clean, perturbed, views, other, share)


@dataclass(frozen=True)
class Answer:
    """What the network answers to a minibatch.

    Args:
        logits: (batch, class).
        features: what the head saw, (batch, features).
        views: the same for each further view.
    """

    logits: Tensor
    features: Tensor
    views: tuple[Answer, ...] = ()


Criterion = Callable[[Answer, "Minibatch"], "Tensor"]
"""The answer to a minibatch and the minibatch, for its `labels`, to one loss for each sample, (batch,)."""


@dataclass
class Fitting:
    """One stage of training, as its parts see it.

    Args:
        network: being trained.
        train, val: the splits.
        seed: keys every draw.
        device: where tensors are.
        stage: name of the stage.
        epochs, steps: epochs of the stage, and steps of each.
        start: the network as it was before anything moved, by name, on the device; empty unless a part of the recipe `needs_start`.
        validation: the validation split, a batch at a time, as the network takes it.
        backward: adds a loss's gradients to those of the parameters, for parts that take several in one step.
        epoch, step: 1-based, and 0-based within the epoch; counted by the loop.
        state: every tensor that parts remember from step to step, under names of their own; part of what a resume restores.
        hooks: what the parts of the stage do, in the order in which they do it.
        origin: the network whose state `start` is, in evaluation mode; None unless a part of the recipe `needs_start`.
    """

    network: Network
    train: Dataset
    val: Dataset
    seed: int
    device: torch.device
    stage: str
    epochs: int
    steps: int
    start: Mapping[str, Tensor]
    validation: Callable[[], Iterator[Minibatch]]
    backward: Callable[[Tensor], None]
    epoch: int = 0
    step: int = 0
    state: dict[str, Tensor] = field(default_factory=dict)
    hooks: Sequence[Hooks] = ()
    origin: Network | None = None

    def draws(self, purpose: str, ids: Sequence[str]) -> Generators:
        """A generator for each sample: the same for any batch, another in every epoch and stage."""
        from windtunnel.seeding import generators

        return generators(self.seed, f"{purpose}/{self.stage}/{self.epoch}", ids)

    def uniforms(self, purpose: str, ids: Sequence[str], count: int) -> np.ndarray:
        """So many numbers in [0, 1) for each sample, (sample, count), keyed alike; cheaper than generators where a few will do."""
        from windtunnel.seeding import uniforms

        return uniforms(self.seed, f"{purpose}/{self.stage}/{self.epoch}", ids, count)

    def number(self, purpose: str) -> int:
        """A whole number for this epoch, as a seed of something that keys by sample itself."""
        from windtunnel.seeding import integer

        return integer(self.seed, purpose, self.stage, self.epoch)

    def answer(self, minibatch: Minibatch) -> Answer:
        """The network's answer to inputs and views, in one pass."""
        import torch

        network, count = self.network, len(minibatch)
        features = network.features(joined((minibatch.inputs, *minibatch.views)))
        for hook in self.hooks:
            features = hook.featured(minibatch, features)
        logits = network.classify(features)
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))  # losses are computed in full in any precision
        found = [Answer(logits[start : start + count], features[start : start + count]) for start in range(0, len(features), count)]
        return Answer(found[0].logits, found[0].features, tuple(found[1:]))

    @property
    def past(self) -> int:
        """Steps of the stage done so far."""
        return (self.epoch - 1) * self.steps + self.step


class Hooks:
    """What a part does while a stage runs; each method does nothing unless a part says otherwise.

    The order within a step: `augment`, `perturb`, `objective` (which adds every `penalty`), the backward pass; then `climb`, the same
    objective once more and `settle`, if any part climbs; the optimiser's step; `stepped`.
    """

    climbs: ClassVar[bool] = False
    """Whether it moves the weights before a second gradient is taken, at which the step is then made."""

    def augment(self, minibatch: Minibatch) -> Minibatch:
        """Other inputs that do not depend on the network; may run ahead of the steps in another thread, so it keeps no state."""
        return minibatch

    def perturb(self, minibatch: Minibatch) -> Minibatch:
        """Other inputs that depend on the network."""
        return minibatch

    def objective(self, minibatch: Minibatch, inner: Callable[[Minibatch], Tensor]) -> Tensor:
        """The loss to go down; `inner` is criterion and penalties."""
        return inner(minibatch)

    def featured(self, minibatch: Minibatch, features: Tensor) -> Tensor:
        """Other features, (batch and its views, features), on their way to the head."""
        return features

    def penalty(self, minibatch: Minibatch, answer: Answer) -> Tensor | None:
        """A term to be added to the loss."""
        return None

    def parameters(self) -> Sequence[nn.Parameter]:
        """Parameters of its own that the optimiser moves, too."""
        return ()

    def undecayed(self) -> Sequence[nn.Parameter]:
        """Parameters of the network that weight decay shall spare."""
        return ()

    def paced(self, factor: float) -> float:
        """Another factor of the learning rate for the step that comes."""
        return factor

    def climb(self) -> None:
        """Move the weights along their gradients, of which only the direction counts: in mixed precision they are scaled."""

    def settle(self) -> None:
        """Move them back, leaving the gradients."""

    def stepped(self) -> None:
        """The optimiser has made its step."""

    def epoch_ended(self) -> None:
        """The epoch is over; validation comes next."""

    def ended(self) -> None:
        """The stage is over; put back what of the network's settings was changed."""

    def averaged(self) -> Mapping[str, Tensor] | None:
        """The state of the network to be validated and kept in the place of the trained one."""
        return None


class Part(Configured, ABC):
    """One piece of a composed recipe: a frozen dataclass whose fields are its arguments."""

    modality: ClassVar[str] = ANY
    """The inputs it can be trained on: "image", "text" or "any"."""
    needs_start: ClassVar[bool] = False
    """Whether it asks for the network as it was before anything moved."""

    @property
    def modalities(self) -> tuple[str, ...]:
        """All inputs it can be trained on with these arguments."""
        return (IMAGE, TEXT) if self.modality == ANY else (self.modality,)

    def check(self, material: Material) -> None:
        """Refuse a model or data that it cannot work on, before anything is computed.

        Raises:
            RecipeError: saying what is missing, and what there is.
        """

    def resources(self) -> Sequence[tuple[str, Resource]]:
        """What it reads from disk besides the samples, each with the name of what reads it."""
        return ()

    def missing(self) -> list[str]:
        """A sentence for each resource that is not installed, with its remedy."""
        return [each.missed_by(name) for name, each in self.resources() if not each.found()]

    def require(self) -> None:
        """Refuse to start without its resources.

        Raises:
            ResourceError: naming what is missing, and how to get it.
        """
        if lacking := self.missing():
            raise ResourceError("\n".join(lacking))

    def passes(self) -> float:
        """Forward and backward passes a sample and epoch that it costs beside the two of the step itself."""
        return 0.0


class Loss(Part, ABC):
    """What is minimised on the labels."""

    sees_inputs: ClassVar[bool] = False
    """Whether the criterion looks at the inputs themselves, so that features computed once are not enough."""
    rowwise: ClassVar[bool] = False
    """Whether a sample's loss is the same, bit for bit, whatever samples go through the criterion with it."""

    @abstractmethod
    def begin(self, fitting: Fitting) -> Criterion:
        """The criterion of a stage."""


class Trick(Part, ABC):
    """A part that acts through hooks: augmentation, regularisation, perturbation and averaging."""

    @abstractmethod
    def begin(self, fitting: Fitting) -> Hooks:
        """What it does in a stage that is about to run."""


class Augmentation(Trick, ABC):
    """Changes training inputs without asking the network."""

    mixes: ClassVar[bool] = False
    """Whether it mixes the labels of two samples; of a stage's augmentations, one may."""


class Regularisation(Trick, ABC):
    """Holds the network back: a penalty, or another way to step."""


class Averaging(Trick, ABC):
    """Keeps an average of the weights along the way."""


class Perturbation(Trick, ABC):
    """Trains on inputs that are changed against the network."""

    @property
    def replays(self) -> int:
        """Steps made on each minibatch; the epochs are as many times fewer."""
        return 1

    def judged_under(self) -> Threat[Any] | None:
        """The threat under which an epoch is judged on the validation split; None to judge by plain accuracy."""
        return None


class Scope(Part, ABC):
    """Which parameters of the backbone move; the new head always does."""

    inserts: ClassVar[bool] = False
    """Whether it adds modules."""
    stays: ClassVar[bool] = False
    """Whether they are part of the victim: they cannot be folded into the network's own weights."""

    @property
    def title(self) -> str:
        """What a stage is called that has no name."""
        return self.use

    def insert(self, network: Network, seed: int) -> None:
        """Add modules of its own, the same ones for the same seed."""

    @abstractmethod
    def parameters(self, network: Network, epoch: int, epochs: int) -> Sequence[nn.Parameter]:
        """What of the backbone moves in an epoch (1-based) of a stage.

        Raises:
            RecipeError: the network has nothing of the kind; the message lists what it has.
        """

    def merge(self, network: Network) -> None:
        """Fold what was inserted into the network's own weights, where that is possible."""

    @property
    def keeps_backbone(self) -> bool:
        """Whether the backbone stays as it is, so that its features can be computed once."""
        return False


@dataclass(frozen=True)
class Score:
    """Validation figures of one epoch; the robust one decides where there is one."""

    accuracy: float
    robust: float | None = None

    @property
    def selects(self) -> float:
        """The figure by which the best epoch is chosen."""
        return self.accuracy if self.robust is None else self.robust


class Selection(Part, ABC):
    """Which epoch is kept."""

    @abstractmethod
    def begin(self, fitting: Fitting, perturbation: Perturbation | None) -> Callable[[], Score]:
        """What judges the network, in evaluation mode, after an epoch."""

    @property
    def last(self) -> bool:
        """Whether the last epoch is kept whatever the figures."""
        return False

    def watched(self) -> Iterator[Threat[Any]]:
        """Threats that selection looks at; a suite that selects by them may not report on them."""
        yield from ()
