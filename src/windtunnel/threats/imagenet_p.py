"""ImageNet-P: pictures under perturbations that move on from frame to frame."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic.dataclasses import dataclass

from windtunnel.builtins import DATASETS
from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import to_inputs
from windtunnel.core.sequences import FRAMES, Difficulty, Perturbation
from windtunnel.core.threat import Family, Threat
from windtunnel.core.victim import Victim

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ImageNetP(Threat):
    """The frames of the sequences of ImageNet-P, one level each; reports tell how often the answer flips between them.

    The batch it is called with comes from the data set `imagenet-p`: its ids name the sequences, which are read from disk.

    Args:
        perturbation: "gaussian_noise", "shot_noise", "motion_blur", "zoom_blur", "snow", "brightness", "translate", "rotate", "tilt" or
            "scale"; or, for validation, "speckle_noise", "gaussian_blur", "spatter" or "shear".
        difficulty: 1 to 3, the factor by which frames are taken further apart; of noise, sequences with more of it.
        path: the set's folder; `imagenet-p` below $WINDTUNNEL_DATA (else below ~/.cache/windtunnel/data) if left out.
        partial: accept a copy that lacks classes; its numbers are not those of the published set.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261, section 4.2.
    """

    use: ClassVar[str] = "imagenet-p"
    family: ClassVar[Family] = "shift"
    adaptive: ClassVar[bool] = False
    libraries: ClassVar[tuple[str, ...]] = ("torch", "av")

    perturbation: Perturbation
    difficulty: Difficulty = 1
    path: str | None = None
    partial: bool = False

    @property
    def levels(self) -> tuple[Fraction, ...]:
        """The numbers of the frames, from 1 on."""
        return tuple(Fraction(number) for number in range(1, FRAMES[self.perturbation] + 1))

    @property
    def elsewhere(self) -> str:
        """The first frame of every sequence."""
        return "imagenet-p[test]"

    @property
    def elsewhere_options(self) -> Mapping[str, Any]:
        """Which sequences, and where they lie."""
        return self.arguments()

    def passes(self) -> float:
        """Nothing beyond the evaluation itself."""
        return 0

    def perturb(self, victim: Victim, batch: Batch, level: Fraction, seed: int) -> Tensor:
        """That frame of each sequence.

        Raises:
            DataError: a sequence that is not there, cannot be read or has another number of frames.
        """
        source = DATASETS.load(self.use)(**self.elsewhere_options, frame=int(level), only=batch.ids)  # type: ignore[call-arg]  # the registry knows nouns, not their arguments
        frames = source.load()["test"]
        places = {name: row for row, name in enumerate(frames.ids)}
        return to_inputs(frames.pixels([places[name] for name in batch.ids])).to(device=batch.inputs.device, dtype=batch.inputs.dtype)
