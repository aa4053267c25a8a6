"""Sets: words that stand for several threats in a benchmark. Strings; nothing is imported."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

CORRUPTION_SETS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "common": (
            "gaussian-noise",
            "shot-noise",
            "impulse-noise",
            "defocus-blur",
            "glass-blur",
            "motion-blur",
            "zoom-blur",
            "snow",
            "frost",
            "fog",
            "brightness",
            "contrast",
            "elastic-transform",
            "pixelate",
            "jpeg",
        ),
        "extra": ("speckle-noise", "gaussian-blur", "spatter", "saturate"),
        "practical": (
            "rotation",
            "translation",
            "resolution-loss",
            "colour-cast",
            "low-light",
            "path-motion",
            "lens-dirt",
            "occlusion",
            "webp",
            "avif",
            "video-compression",
        ),
        "quick": ("gaussian-noise", "defocus-blur", "fog", "contrast", "pixelate", "jpeg"),
    }
)
"""What `{use: corruptions, set: ...}` stands for."""

TEXT_SETS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "common": (
            "keyboard-typos",
            "letter-swaps",
            "letter-deletions",
            "letter-repeats",
            "homophones",
            "random-case",
            "dropped-punctuation",
            "joined-words",
            "contractions",
            "british-spelling",
            "emoji",
            "fillers",
        ),
        "typos": ("keyboard-typos", "letter-swaps", "letter-deletions", "letter-repeats"),
        "recognition": ("ocr-errors", "homophones"),
        "casing": ("upper-case", "lower-case", "random-case", "lower-case-names"),
        "punctuation": ("dropped-punctuation", "doubled-punctuation", "added-punctuation"),
        "spaces": ("joined-words", "split-words"),
        "disguises": ("homoglyphs", "zero-width", "leetspeak"),
        "variants": ("contractions", "expansions", "british-spelling", "american-spelling"),
        "additions": ("emoji", "hashtags", "distractors-before", "distractors-after", "fillers"),
        "words": ("word-dropout", "word-shuffling", "name-swaps", "number-swaps"),
        "quick": ("keyboard-typos", "letter-swaps", "lower-case", "dropped-punctuation", "homoglyphs", "emoji"),
    }
)
"""What `{use: perturbations, set: ...}` stands for."""

SETS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = MappingProxyType({"corruptions": CORRUPTION_SETS, "perturbations": TEXT_SETS})
"""Words that stand for several threats, with what they may stand for."""
