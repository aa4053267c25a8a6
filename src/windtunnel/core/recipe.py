"""Recipe: how a victim is obtained from a pre-trained model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from windtunnel.core.configured import Configured
from windtunnel.core.dataset import Dataset
from windtunnel.core.flag import Flag
from windtunnel.core.modality import IMAGE, TEXT
from windtunnel.core.model import Model
from windtunnel.errors import RecipeError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from windtunnel.core.network import Network
    from windtunnel.core.resource import Resource
    from windtunnel.core.threat import Threat


def _ignore(epoch: int, epochs: int) -> None:
    """Progress nobody listens to."""


def unseen(epoch: Epoch) -> None:
    """Figures nobody looks at."""


def _unheard(members: Sequence[tuple[Recipe, int]]) -> None:
    """An announcement that nobody makes use of."""


def _alone(recipe: Recipe, seed: int) -> Finetuned:
    raise RecipeError(f"There is nobody who could carry out {recipe.use} as a part of another recipe here.")


class Checkpoint(Protocol):
    """Where a fine-tuning keeps what it needs to go on after an interruption."""

    def read(self) -> bytes | None:
        """What was kept, intact; None if nothing was."""

    def due(self) -> bool:
        """Whether so much time has gone by that it is worth keeping something."""

    def write(self, content: bytes) -> None:
        """Keep it in the place of what was kept before."""


@dataclass(frozen=True)
class Finetuning:
    """What a recipe works on.

    Args:
        model: freshly loaded; the recipe may change its tensors.
        train: the training split.
        val: the validation split, the only one that model selection may look at.
        seed: keys initialisation, order of samples, augmentation and dropout.
        device: where to train.
        features: frozen features of a whole split, (n, features), computed at most once for a model and data set.
        progress: called after each epoch with the number done and the number in all.
        checkpoint: where to keep what an interrupted fine-tuning goes on from; None keeps nothing.
        member: carries out another recipe on the same material with a seed, or finds what it left when that was done before.
        announce: told which members will be asked for next, so that those that can be are trained as one; nothing hangs on it but time.
        watch: called after each epoch with its figures, before `progress`.
    """

    model: Model
    train: Dataset
    val: Dataset
    seed: int
    device: torch.device
    features: Callable[[Dataset], Tensor]
    progress: Callable[[int, int], None] = field(default=_ignore)
    checkpoint: Checkpoint | None = None
    member: Callable[[Recipe, int], Finetuned] = field(default=_alone)
    announce: Callable[[Sequence[tuple[Recipe, int]]], None] = field(default=_unheard)
    watch: Callable[[Epoch], None] = field(default=unseen)


@dataclass(frozen=True)
class Material:
    """What is known of model and data before anything is computed.

    Args:
        model, data: their names, for messages.
        layers: name of each module of the backbone that has parameters of its own -> its kind, such as "Linear".
        blocks: names of its blocks, from input to output; empty if it has none.
        classes: training samples of each class.
        val: validation samples.
    """

    model: str
    data: str
    layers: Mapping[str, str]
    blocks: tuple[str, ...]
    classes: tuple[int, ...]
    val: int


@dataclass(frozen=True)
class Epoch:
    """One point of the training curves.

    Args:
        stage: name of the stage, e.g. "probe" or "full".
        epoch: 1-based within the stage.
        train_loss: mean training loss.
        val_accuracy: accuracy on the validation split.
        val_robust_accuracy: the same under the training threat, for adversarial training.
    """

    stage: str
    epoch: int
    train_loss: float
    val_accuracy: float
    val_robust_accuracy: float | None = None


@dataclass(frozen=True)
class Finetuned:
    """What a recipe leaves.

    Args:
        network: in evaluation mode, holding the selected weights.
        best: state of the epoch that selection on the validation split chose.
        last: state after the last epoch.
        best_epoch: the chosen epoch, 1-based within its stage.
        curves: one entry per epoch, over all stages.
        notes: what else is to be known of how it came about, as plain data; it is shown in the record.
        flags: what casts doubt on it.
    """

    network: Network
    best: dict[str, Tensor]
    last: dict[str, Tensor]
    best_epoch: int
    curves: tuple[Epoch, ...]
    notes: Mapping[str, Any] = field(default_factory=dict)
    flags: tuple[Flag, ...] = ()

    @property
    def val_accuracy(self) -> float | None:
        """Accuracy on the validation split of what is kept: of the chosen epoch, or noted by a recipe without epochs of its own."""
        if not self.curves:
            return self.notes.get("val_accuracy")
        return next(epoch.val_accuracy for epoch in reversed(self.curves) if epoch.epoch == self.best_epoch and epoch.stage == self.curves[-1].stage)


def together(members: Sequence[tuple[Recipe, int]]) -> list[list[int]]:
    """The positions of members that can be carried out as one, at least two in each list."""
    groups: list[tuple[tuple[Recipe, int], list[int]]] = []
    for place, (recipe, seed) in enumerate(members):
        common = recipe.together()
        if common is None:
            continue
        found = next((places for key, places in groups if key == (common, seed)), None)
        if found is None:
            groups.append(((common, seed), [place]))
        else:
            found.append(place)
    return [places for _, places in groups if len(places) > 1]


class Recipe(Configured, ABC):
    """How a victim is obtained from a model; subclasses are frozen dataclasses, their fields the hyper-parameters."""

    trains: ClassVar[bool] = True
    """Whether it looks at training and validation data; one that does not gets empty ones, for the classes' sake."""
    defaults: ClassVar[Mapping[str, Mapping[str, Any]]] = MappingProxyType({})
    """By modality, arguments whose defaults differ there from those of the class, which suit images."""

    @classmethod
    def suited(cls, modality: str, /, **arguments: Any) -> Self:
        """The recipe for inputs of a modality: its defaults where nothing else is said.

        Raises:
            RecipeError: it cannot train on them.
        """
        made = cls(**{**cls.defaults.get(modality, {}), **arguments})
        made.check_modality(modality)
        return made

    @property
    def modalities(self) -> tuple[str, ...]:
        """The inputs it can train on with these arguments."""
        return (IMAGE, TEXT)

    def check_modality(self, modality: str) -> None:
        """Refuse inputs that the recipe cannot train on.

        Raises:
            RecipeError: in that case.
        """
        if modality not in self.modalities:
            told = ", ".join(f"{name}: {value}" for name, value in self.restricting().items())
            raise RecipeError(
                f"{told or self.use} trains on {' or '.join(self.modalities) or 'no'} inputs, and the data holds {modality}s. "
                "Choose another recipe for it."
            )

    def check(self, material: Material) -> None:
        """Refuse a model or data that it cannot work on, before anything is computed.

        Raises:
            RecipeError: saying what is missing, and what there is.
        """

    def resources(self) -> Sequence[tuple[str, Resource]]:
        """What it reads from disk besides model and samples, each with the name of the part that does."""
        return ()

    def missing(self) -> list[str]:
        """A sentence for each of them that is not installed, with its remedy."""
        return list(dict.fromkeys(each.missed_by(name) for name, each in self.resources() if not each.found()))

    def rebuild(self, network: Network) -> None:
        """Give a network, fresh from its model, what this recipe adds to its structure, so that a victim's state can be put into it."""

    def members(self, seed: int) -> Iterator[tuple[Recipe, int]]:
        """Recipes with their seeds that it carries out with a seed of its own, as far as they are known before; workers make those first."""
        yield from ()

    def watched(self) -> Iterator[Threat[Any]]:
        """Threats that it chooses by, beside those that its parts look at; a suite that has them in a benchmark refuses it."""
        yield from ()

    @property
    def needs_oracle(self) -> bool:
        """Whether it may be carried out only where the suite lets selection look at test data."""
        return False

    def restricting(self) -> Mapping[str, Any]:
        """The arguments because of which some inputs are out of the question."""
        return {}

    @abstractmethod
    def finetune(self, work: Finetuning) -> Finetuned:
        """Fine-tune on `work.train`, selecting on `work.val`.

        Raises:
            RecipeError: the data or model cannot be trained this way, or the loss became NaN.
        """

    def together(self) -> Recipe | None:
        """What it has in common with those recipes that can be carried out with it as one; None if it must be carried out alone."""
        return None

    def finetune_together(self, recipes: Sequence[Recipe], work: Finetuning) -> Iterator[Finetuned | None]:
        """What `finetune` of each of some recipes leaves, all of which have `together` in common; None for one to be carried out alone."""
        # Asked of recipes only whose `together` is not None, which then say how.
        raise NotImplementedError(f"{self.use} is carried out alone")

    @abstractmethod
    def passes(self, samples: int) -> float:
        """A rough number of sample-passes (forward or backward) for planning."""
