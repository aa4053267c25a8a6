"""One corruption of a user's own images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from windtunnel.builtins import THREATS
from windtunnel.core.dataset import Pixels
from windtunnel.errors import DataError, UnknownNameError, suggest
from windtunnel.seeding import generators
from windtunnel.threats.corruptions.corruption import Corruption


def corrupt(images: Pixels, name: str, severity: int, seed: int = 0, ids: Sequence[str | int] | None = None) -> Pixels:
    """Corrupted copies of 8-bit images, as the threat `name` would make them.

    Args:
        images: one image or several, grey or RGB, uint8. Three axes whose last is 1 or 3 long are one image, others grey images.
        name: of a corruption, e.g. "fog".
        severity: from 1 to 5; 0 leaves the images as they are.
        seed: keys the draws, with the name and each image's id.
        ids: one per image; 0, 1, 2, ... if left out.
    Shapes:
        images (n, height, width, channel), (n, height, width), (height, width, channel) or (height, width); returns the same.
    Raises:
        DataError: not uint8, another shape, a severity outside 0 to 5, or not one distinct id per image.
        UnknownNameError: no corruption of that name.
    """
    corruption = _load(name)
    batch = _as_batch(images)
    if isinstance(severity, bool) or not isinstance(severity, int | np.integer) or not 0 <= severity <= 5:
        raise DataError(f"corrupt: severity {severity!r} is not one of 0 (unchanged), 1, 2, 3, 4, 5.")
    names = [str(name) for name in (range(len(batch)) if ids is None else ids)]
    if len(names) != len(batch) or len(set(names)) != len(names):
        raise DataError(f"corrupt: {len(batch)} images need as many distinct ids; found {len(names)}, {len(set(names))} of them distinct.")
    if severity == 0 or batch.size == 0:
        return images.copy()
    return corruption().distort(batch, int(severity), generators(seed, corruption.use, names)).reshape(images.shape)


def _load(name: str) -> type[Corruption]:
    if name in corruption_names():
        found = THREATS.load(name)
        assert issubclass(found, Corruption), "the names are those of corruptions"
        return found
    raise UnknownNameError(f"Unknown corruption {name!r}. {suggest(name, corruption_names(), limit=100)}")


def corruption_names() -> tuple[str, ...]:
    """Every corruption of the table; attacks of libraries, which may not be installed, are not looked at."""
    return tuple(name for name in THREATS if "/" not in name and issubclass(THREATS.load(name), Corruption))


def _as_batch(images: Pixels) -> Pixels:
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
        found = images.dtype if isinstance(images, np.ndarray) else type(images).__name__
        raise DataError(f"corrupt: images are {found}; expected a numpy array of uint8 (floats in [0, 1]: (x * 255).round().astype('uint8')).")
    shape = images.shape
    if len(shape) == 4:
        batch = images
    elif len(shape) == 3 and shape[2] in (1, 3):
        batch = images[None]
    elif len(shape) == 3:
        batch = images[..., None]
    elif len(shape) == 2:
        batch = images[None, ..., None]
    else:
        batch = None
    if batch is None or batch.shape[3] not in (1, 3) or 0 in batch.shape[1:]:
        raise DataError(f"corrupt: images have shape {shape}; expected (n, height, width, channel) with 1 or 3 channels, or one image of it.")
    return batch
