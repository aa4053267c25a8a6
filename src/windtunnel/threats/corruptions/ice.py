"""Textures of ice."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import numpy.typing as npt

from windtunnel.errors import MissingPackageError

MEAN = (146.0, 167.0, 179.0)
"""Red, green and blue of the ice on average: that of the published photographs, to a few grey levels."""

CONTRAST = 25.0
"""Standard deviation of a channel within a picture, likewise."""

THICKNESS = 36.0
"""Standard deviation of the mean of a picture, likewise: panes are more or less white."""

PUBLISHED = 5
"""The published code draws from the first five of its six photographs."""


def procedural(height: int, width: int, draw: np.random.Generator) -> npt.NDArray[np.float32]:
    """Ice in colour, 0 to 255, (height, width, 3): ridges of several sizes, as where crystals meet, and needles.

    The same draws for every severity.
    """
    import cv2

    field = np.zeros((height, width), np.float32)
    side = max(height, width)
    for octave in range(5):
        cells = 3 * 2**octave + 3
        grid = draw.random((cells, cells), dtype=np.float32)
        if cells <= 2 * side:
            noise = cv2.resize(grid, (side, side), interpolation=cv2.INTER_CUBIC)[:height, :width]
            field += (1 - np.abs(2 * noise - 1)) * np.float32(0.6**octave)
    needles = np.zeros((height, width), np.float32)
    starts, angles, lengths = draw.random((40, 2)), draw.random(40) * 2 * np.pi, draw.random(40)
    for start, angle, length in zip(starts * (width, height), angles, lengths, strict=True):
        end = start + side * 0.25 * (0.2 + length) * np.array([np.cos(angle), np.sin(angle)])
        cv2.line(needles, (int(start[0]), int(start[1])), (int(end[0]), int(end[1])), 1.0, 1, cv2.LINE_AA)
    field = _standard(field) + 0.7 * _standard(np.asarray(cv2.GaussianBlur(needles, (3, 3), 0.8), np.float32).reshape(height, width))
    ice = np.array(MEAN, np.float32) + np.float32(THICKNESS * draw.standard_normal()) + np.float32(CONTRAST) * _standard(field)[..., None]
    return np.asarray(ice.clip(0, 255), np.float32)


class Photographs:
    """The published photographs, read when they are drawn.

    Args:
        small: shrink them to a fifth, as for CIFAR-10-C.
    Raises:
        MissingPackageError: the package that brings them is not installed.
    """

    def __init__(self, *, small: bool) -> None:
        found = importlib.util.find_spec("imagecorruptions")
        if found is None or found.origin is None:
            raise MissingPackageError(
                "frost with `texture: published` needs the photographs of the package imagecorruptions. Run: "
                "pip install --no-deps imagecorruptions. Or use `texture: procedural`."
            )
        self.files = sorted((Path(found.origin).parent / "frost").glob("frost*"))[:PUBLISHED]
        self.scale = 0.2 if small else 1.0
        self.read: dict[int, npt.NDArray[np.float32]] = {}

    def crop(self, height: int, width: int, draw: np.random.Generator) -> npt.NDArray[np.float32]:
        """A part of one of them in colour, 0 to 255, (height, width, 3), enlarged by a tenth beyond what the image needs."""
        import cv2

        number = int(draw.integers(len(self.files)))
        if number not in self.read:
            picture = cv2.imread(str(self.files[number]))
            if picture is None:
                raise MissingPackageError(f"{self.files[number]} is not a readable picture; install imagecorruptions anew.")
            self.read[number] = cv2.resize(picture, None, fx=self.scale, fy=self.scale, interpolation=cv2.INTER_AREA)[..., ::-1].astype(np.float32)
        picture = self.read[number]
        factor = 1.1 * max(1.0, height / picture.shape[0], width / picture.shape[1])
        down, right = (draw.random() * (np.ceil(size * factor) - part) for size, part in zip(picture.shape, (height, width), strict=False))
        places = np.array([[1 / factor, 0, right / factor], [0, 1 / factor, down / factor]])
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(picture, places, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE).clip(0, 255), np.float32)


def _standard(field: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    deviation = float(field.std())
    return np.asarray((field - field.mean()) / (deviation if deviation > 0 else 1.0), np.float32)
