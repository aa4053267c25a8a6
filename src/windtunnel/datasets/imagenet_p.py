"""ImageNet-P from disk: one frame of each of its sequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from pydantic import Field
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import ImageStore
from windtunnel.core.sequences import FRAMES, Difficulty, Perturbation, stored_as
from windtunnel.datasets import files
from windtunnel.datasets.imagenet import ImageNet, Side
from windtunnel.datasets.pictures import Pictures
from windtunnel.errors import DataError, MissingPackageError

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ImageNetP(ImageNet):
    """One frame of every sequence of ImageNet-P under one perturbation; the threat `imagenet-p` goes through all of them.

    Args:
        perturbation: e.g. "gaussian_noise" or "rotate"; see the threat.
        difficulty: 1 to 3; the noise sequences of 2 and 3 lie in folders of their own (gaussian_noise_2), the others are the same at each.
        frame: which one, from 1 on.
        only: ids of the sequences wanted ("n01440764/ILSVRC2012_val_00000293.mp4"); all if left out.
        size, resize: as of `imagenet`; the frames are stored with 224 pixels and are not resized.
        path, partial: as of `imagenet`; the folder is `imagenet-p`, with perturbation/class/sequence.mp4 below it.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261.
    """

    use: ClassVar[str] = "imagenet-p"
    libraries: ClassVar[tuple[str, ...]] = ("pillow", "timm", "av")
    folder: ClassVar[str] = "imagenet-p"
    remedy: ClassVar[str] = "Get it from zenodo.org, record 3565846, unpacked to perturbation/class/sequence.mp4."

    resize: Side = 224
    perturbation: Perturbation
    difficulty: Difficulty = 1
    frame: Annotated[int, Field(ge=1)] = 1
    only: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The name of the set with that of the perturbation."""
        return f"{self.use}/{stored_as(self.perturbation, self.difficulty)}"

    @property
    def root(self) -> Path:
        """The folder of the perturbation."""
        return super().root / stored_as(self.perturbation, self.difficulty)

    def classes(self) -> Mapping[str, list[Path]]:
        """The class folders of the perturbation, or those of the sequences wanted."""
        if not self.only:
            return super().classes()
        return {name: [self.root / name] for name in {wanted.partition("/")[0] for wanted in self.only}}

    def listed(self, place: Path) -> list[Path]:
        """The sequences in a class folder."""
        if not self.only:
            return [path for path in sorted(place.iterdir()) if path.suffix == ".mp4"]
        wanted = [files.inside(self.root, self.root / name) for name in sorted(self.only) if name.partition("/")[0] == place.name]
        missing = [path for path in wanted if not path.is_file()]
        if missing:
            raise DataError(f"{self.use} lacks {missing[0]}. {self.remedy}")
        return wanted

    def store(self, paths: Sequence[Path]) -> ImageStore:
        """The frame of each sequence, decoded when it is asked for."""
        published = FRAMES[self.perturbation]
        shape = (self.size, self.size, 3)
        return Pictures(lambda row: _frame(paths[row], self.frame, published), lambda row: str(paths[row]), self.size, shape, self.resize)


def _frame(path: Path, number: int, published: int) -> Image:
    """One frame of a video that has `published` of them.

    Raises:
        DataError: it cannot be decoded, or is shorter or longer.
    """
    try:
        import av
    except ModuleNotFoundError as error:
        raise MissingPackageError("ImageNet-P needs the package av. Run: pip install 'windtunnel[video]'") from error

    from PIL import Image as pictures

    try:
        with av.open(str(path)) as container:
            frames = container.decode(video=0)
            found = next(islice(frames, number - 1, None), None)
            if found is None:
                raise DataError(f"the sequence has no frame {number}; expected {published} of them, as published.")
            if number == published and next(frames, None) is not None:
                raise DataError(f"the sequence has more than {published} frames, which is what was published.")
            return pictures.fromarray(np.asarray(found.to_ndarray(format="rgb24"), np.uint8))
    except (av.FFmpegError, IndexError) as error:
        raise DataError(f"it cannot be read as a video ({error}); get the file again.") from error
