"""Mean corruption error: errors under corruptions relative to those of a named classifier."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from windtunnel.core.outcome import Floats

ALEXNET: Final[Mapping[str, float]] = MappingProxyType(
    {
        "gaussian-noise": 0.886428,
        "shot-noise": 0.894468,
        "impulse-noise": 0.922640,
        "defocus-blur": 0.819880,
        "glass-blur": 0.826268,
        "motion-blur": 0.785948,
        "zoom-blur": 0.798360,
        "snow": 0.866816,
        "frost": 0.826572,
        "fog": 0.819324,
        "brightness": 0.564592,
        "contrast": 0.853204,
        "elastic-transform": 0.646056,
        "pixelate": 0.717840,
        "jpeg": 0.606500,
    }
)
"""AlexNet's error on each corruption of ImageNet-C, the mean over five severities: Hendrycks and Dietterich's own normaliser."""

ALEXNET_CLEAN: Final = 0.4348
"""AlexNet's error on ImageNet's validation images."""


def mean_corruption_error(errors: Floats, reference: Floats) -> Floats:
    """mCE: the mean over corruptions of an error divided by the reference's; 1 for the reference itself.

    Args:
        errors: the mean over severities on each corruption.
        reference: the same of the classifier that it is normalised by.
    Shapes:
        errors, reference (..., corruption); returns (...).
    Raises:
        ValueError: the reference makes no error on some corruption.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261, section 4.1.
    """
    if (reference <= 0).any():
        raise ValueError("the normaliser makes no error on a corruption, so that nothing can be measured in units of it")
    found: Floats = (errors / reference).mean(-1)
    return found


def relative_corruption_error(errors: Floats, clean: Floats, reference: Floats, reference_clean: Floats) -> Floats:
    """Relative mCE: the mean over corruptions of how much an error grows over the clean one, divided by how much the reference's grows.

    Args:
        errors, reference: as for `mean_corruption_error`.
        clean, reference_clean: errors on the unchanged samples.
    Shapes:
        errors, reference (..., corruption); clean, reference_clean (...); returns (...).
    Raises:
        ValueError: the reference does not become worse on some corruption.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261, section 4.1.
    """
    growth = reference - np.asarray(reference_clean)[..., None]
    if (growth <= 0).any():
        raise ValueError("the normaliser does not become worse on a corruption, so that nothing can be measured in units of how much it does")
    found: Floats = ((errors - np.asarray(clean)[..., None]) / growth).mean(-1)
    return found
