"""Threat: one way to change inputs, behind one final `__call__` that trusts nobody."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, ClassVar, Generic, Literal, final

from windtunnel.core.attempt import Attempted
from windtunnel.core.batch import Batch, Inputs
from windtunnel.core.configured import Configured
from windtunnel.core.evaluation import Evaluation
from windtunnel.core.flag import Flag
from windtunnel.core.modality import IMAGE, TEXT
from windtunnel.core.outcome import Ints, Outcome
from windtunnel.core.resource import Resource
from windtunnel.core.texts import WORDS
from windtunnel.core.victim import Victim
from windtunnel.errors import ResourceError, VictimError
from windtunnel.seeding import scoped

MICRO_BATCH = 128
"""Samples perturbed at once; a property of the cell, so that who computes it changes nothing."""

Family = Literal["clean", "attack", "corruption", "shift"]


class Threat(Configured, ABC, Generic[Inputs]):
    """One way to change inputs, with its levels (radii or severities), ascending.

    Subclasses are frozen dataclasses that write `perturb` and `levels`; everybody calls the threat itself, which verifies.
    `adaptive` threats may query the victim, on images within a norm ball; blind ones see the inputs only.
    A threat on texts is a `Threat[Texts]` with `modality = "text"`.
    """

    family: ClassVar[Family]
    adaptive: ClassVar[bool]
    modality: ClassVar[str] = IMAGE
    """Which inputs it changes; "any" for threats that change none."""
    black_box: ClassVar[bool] = False
    """Asks for answers only, never for gradients; its forward passes are counted as queries."""
    minimal: ClassVar[bool] = False
    """Looks for the smallest change, so that one search at the largest radius answers all smaller ones."""
    grouped: ClassVar[bool] = False
    """Puts samples into groups, of which the report shows the worst."""

    @property
    @abstractmethod
    def levels(self) -> tuple[Fraction, ...]:
        """Radii or severities, ascending."""

    @property
    def measured_norm(self) -> str:
        """The norm in which changes are measured, and held for adaptive threats; texts are measured in words."""
        return WORDS if self.modality == TEXT else str(getattr(self, "norm", "Linf"))

    @property
    def follows(self) -> str | None:
        """The surrogate whose gradients are followed, as "MODEL + RECIPE"; None for the victim itself."""
        return None

    @property
    def transfer(self) -> bool:
        """Whether it is made against a surrogate instead of the victim."""
        return self.follows is not None

    @property
    def title(self) -> str:
        """The name under which the threat is shown."""
        return self.use

    @property
    def elsewhere(self) -> str | None:
        """Other data that the threat is evaluated on ("mnist5k[test]"); None for the benchmark's own."""
        return None

    @property
    def elsewhere_options(self) -> Mapping[str, Any]:
        """Arguments of that other data."""
        return {}

    @abstractmethod
    def passes(self) -> float:
        """A rough number of forward and backward passes a sample and level, for planning."""

    def cautions(self, classes: int, shape: tuple[int, ...]) -> tuple[Flag, ...]:
        """What the threat itself has to say about its numbers, e.g. parts of it that could not run.

        Args:
            classes: number of logits of the victim.
            shape: of one input, (channel, height, width); empty for texts.
        """
        return ()

    def groups(self, labels: Ints, ids: tuple[str, ...], seed: int) -> Ints | None:
        """The group of each sample, (n,), for threats that are `grouped`; draws keyed by (seed, sample id)."""
        return None

    def resources(self) -> tuple[Resource, ...]:
        """What the threat reads from disk besides the samples."""
        return ()

    def missing(self) -> list[str]:
        """A sentence for each resource that is not installed, with its remedy."""
        return [each.missed_by(self.use) for each in self.resources() if not each.found()]

    @final
    def require(self) -> None:
        """Refuse to start without its resources.

        Raises:
            ResourceError: naming what is missing, and how to get it.
        """
        if lacking := self.missing():
            raise ResourceError("\n".join(lacking))

    @abstractmethod
    def perturb(self, victim: Victim, batch: Batch[Inputs], level: Fraction, seed: int) -> Inputs | Attempted:
        """Changed inputs; draws keyed by (seed, sample id). Images keep their shape and lie in [0, 1]; texts keep their closed fields.

        Called with correctly classified samples only for adaptive threats, and never with level 0.
        """

    @final
    def __call__(
        self,
        victim: Victim,
        batch: Batch[Inputs],
        *,
        seed: int = 0,
        micro_batch: int = MICRO_BATCH,
        copies: Mapping[Fraction, Inputs] | None = None,
        keep: bool = False,
        surrogate: Victim | None = None,
    ) -> Outcome:
        """Perturb `batch` at every level, verify range, norm and victim, and report each sample's outcome.

        Adaptive threats leave misclassified samples alone, and a sample broken at one level stays broken at every larger one. What
        the victim itself draws at random (dropout, noise) is keyed by the seed and the threat.

        Args:
            seed: keys the draws, with each sample's id.
            micro_batch: samples at once; moves logits by float rounding at most.
            copies: perturbed inputs of a blind threat computed earlier, by level.
            keep: keep the perturbed inputs of the largest level in the outcome.
            surrogate: whose gradients a transfer attack follows; a threat that names one is not run without it.
        Raises:
            DataError: images outside [0, 1], empty texts, or inputs of another modality than the threat's.
            BudgetError: the threat left its norm ball or the range [0, 1], or changed a closed field; its numbers would be worthless.
            VictimError: training mode, NaN logits, labels beyond its classes, or a surrogate that is missing or answers otherwise.
        """
        if self.transfer and surrogate is None:
            raise VictimError(f"{self.use} follows the surrogate {self.follows!r}, but none was given; pass `surrogate=`, a trained classifier.")
        started = time.perf_counter()
        source = victim if surrogate is None else surrogate
        with victim.frozen(), source.frozen(), scoped("victim", seed, self.use):
            run = Evaluation(self, victim, batch, seed, micro_batch, source)
            if self.adaptive:
                run.sweep()
            else:
                run.blind(copies or {})
            return run.outcome(time.perf_counter() - started, keep)
