"""Perturbation sequences of ImageNet-P: which there are, how long they are, and which of their frames are compared."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final, Literal

from pydantic import AfterValidator

from windtunnel.errors import suggest

TESTED: Final = (
    "gaussian_noise",
    "shot_noise",
    "motion_blur",
    "zoom_blur",
    "snow",
    "brightness",
    "translate",
    "rotate",
    "tilt",
    "scale",
)
"""The perturbations that the mean flip rate is a mean over."""

FRAMES: Final[Mapping[str, int]] = MappingProxyType(
    {**dict.fromkeys((*TESTED, "speckle_noise", "gaussian_blur", "spatter", "shear"), 31), "translate": 41}
)
"""Frames of each sequence, the four for validation included: ImageNet-P/create_p/make_imagenet_p.py of github.com/hendrycks/robustness."""


def _known(name: str) -> str:
    if name not in FRAMES:
        raise ValueError(f"{name!r} is no perturbation of ImageNet-P. {suggest(name, FRAMES)}")
    return name


Perturbation = Annotated[str, AfterValidator(_known)]
Difficulty = Literal[1, 2, 3]


def is_noise(perturbation: str) -> bool:
    """Whether frames are drawn one by one around the first, instead of moving on from frame to frame."""
    return perturbation.endswith("noise")


def stored_as(perturbation: str, difficulty: int) -> str:
    """Where the sequences lie: stronger noise is stored, while other perturbations are made harder by leaving frames out."""
    return f"{perturbation}_{difficulty}" if difficulty > 1 and is_noise(perturbation) else perturbation
