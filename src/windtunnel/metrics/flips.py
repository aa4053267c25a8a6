"""Flips: how often the answer changes along a sequence of frames that show the same."""

from __future__ import annotations

from windtunnel.core.outcome import Floats, Ints


def flip_probability(predicted: Ints | Floats, *, noise: bool, difficulty: int = 1) -> Floats:
    """The share of compared pairs of frames with different answers, for each sequence.

    Args:
        predicted: the class answered for each frame, in the order of the frames.
        noise: compare every frame with the first, which is free of noise, instead of with the one before.
        difficulty: compare frames that lie so many apart; noise is made harder by other sequences instead.
    Shapes:
        predicted (frame, sequence); returns (sequence,).
    Raises:
        ValueError: too few frames to compare any.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261, section 4.2, and ImageNet-P/test.py of github.com/hendrycks/robustness.
    """
    step = 1 if noise else difficulty
    if len(predicted) <= step:
        raise ValueError(f"a sequence of {len(predicted)} frames has none that are {step} apart")
    found: Floats = (predicted[step:] != (predicted[:1] if noise else predicted[:-step])).mean(0)
    return found


def mean_flip_rate(flips: Floats, reference: Floats) -> Floats:
    """mFR: the mean over perturbations of a flip probability divided by the reference's; 1 for the reference itself.

    Args:
        flips: the mean over sequences of each perturbation.
        reference: the same of the classifier that it is normalised by.
    Shapes:
        flips, reference (..., perturbation); returns (...).
    Raises:
        ValueError: the reference's answer never flips under some perturbation.
    Source:
        Hendrycks and Dietterich 2019, arXiv 1903.12261, section 4.2.
    """
    if (reference <= 0).any():
        raise ValueError("the normaliser's answer never flips under a perturbation, so that nothing can be measured in units of it")
    found: Floats = (flips / reference).mean(-1)
    return found
