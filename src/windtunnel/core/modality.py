"""Modality: everything in which images and texts differ while they are evaluated, stored and shown."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Generic

from typing_extensions import TypeVar

from windtunnel.core.batch import Batch, Inputs

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import numpy.typing as npt

    from windtunnel.core.dataset import Dataset, Pixels
    from windtunnel.core.flag import Flag
    from windtunnel.core.suspicion import Probe
    from windtunnel.core.threat import Threat

Stored = TypeVar("Stored", default="Pixels")
"""How inputs are kept: uint8 (n, height, width, channel) for images, `Texts` for texts."""

IMAGE, TEXT, ANY = "image", "text", "any"
"""Names of the modalities; threats that change nothing take any."""


class Modality(ABC, Generic[Inputs, Stored]):
    """What the inputs of a data set, a threat and a victim are; one implementation for images, one for texts."""

    name: ClassVar[str]
    shrinks: ClassVar[bool]
    """Whether a point that an attack found can be moved back into a smaller ball."""
    copies: ClassVar[str]
    """Name of the file that perturbed copies are stored in."""

    @abstractmethod
    def check(self, batch: Batch[Inputs]) -> None:
        """Refuse inputs that cannot be evaluated.

        Raises:
            DataError: with the first offending sample's id.
        """

    @abstractmethod
    def verify(self, threat: Threat[Inputs], inputs: Inputs, changed: Inputs, level: Fraction, ids: tuple[str, ...]) -> None:
        """Check what a threat made of inputs, independently of the threat.

        Raises:
            BudgetError: the first sample that is no input any more, or was changed more than it may be.
        """

    @abstractmethod
    def distances(self, norm: str, inputs: Inputs, changed: Inputs) -> npt.NDArray[np.float64]:
        """How far each sample was moved, (batch,)."""

    @abstractmethod
    def copy(self, inputs: Inputs) -> Inputs:
        """The inputs, safe from what is done to the original."""

    @abstractmethod
    def settled(self, changed: Inputs) -> Inputs:
        """What a threat answered, cut off from how it came about."""

    @abstractmethod
    def put(self, inputs: Inputs, rows: Sequence[int], others: Inputs) -> Inputs:
        """`inputs` with the samples at `rows` replaced; what was given is used up."""

    @abstractmethod
    def shape(self, inputs: Inputs) -> tuple[int, ...]:
        """Shape of one input; empty where inputs have none."""

    @abstractmethod
    def rivals(self, probe: Probe) -> Iterator[Flag | None]:
        """Cheap rivals of an attack, and what its gradients give away."""

    @abstractmethod
    def inputs(self, stored: Stored) -> Inputs:
        """Stored samples as a victim takes them."""

    @abstractmethod
    def stored(self, inputs: Inputs) -> Stored:
        """Inputs as they are kept and shown; rounded where that is coarser."""

    @abstractmethod
    def digests(self, stored: Stored) -> list[bytes]:
        """A sha256 for each sample, equal for equal samples only."""

    @abstractmethod
    def constant(self, stored: Stored) -> list[bool]:
        """Whether each sample holds one single value."""

    @abstractmethod
    def size(self, data: Dataset) -> int:
        """Roughly how many bytes the samples take as they are kept."""

    @abstractmethod
    def pack(self, copies: Mapping[str, Stored]) -> bytes:
        """Copies of one data set by level, as a file; the same bytes for the same copies."""

    @abstractmethod
    def unpack(self, content: bytes) -> Mapping[str, Stored]:
        """The copies in a file that `pack` wrote."""

    @abstractmethod
    def join(self, first: Stored, second: Stored) -> Stored:
        """The samples of both, one after the other."""

    @abstractmethod
    def portray(self, pair: Stored) -> dict[str, Any]:
        """One sample before and after a threat, as plain data for a record."""
