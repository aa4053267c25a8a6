"""Texts, victims and threats whose outcome can be told by reading."""

from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import torch

from windtunnel.core.batch import Batch
from windtunnel.core.texts import Texts
from windtunnel.core.threat import Threat
from windtunnel.core.victim import Victim

GOOD = ("good", "great", "fine", "lovely")


def lexicon(texts: list[str]) -> torch.Tensor:
    """Two logits: the number of good words against one half."""
    counts = [sum(word.strip(".,!").lower() in GOOD for word in " ".join([text] if isinstance(text, str) else text).split()) for text in texts]
    return torch.tensor([[0.5, float(count)] for count in counts])


def victim() -> Victim:
    """The lexicon as a victim."""
    return Victim.of(lexicon)


def batch(*texts: str | tuple[str, ...], labels: list[int] | None = None, **named: tuple[str, ...]) -> Batch[Texts]:
    """Texts with what the lexicon says of them, or with `labels`."""
    found = Texts.of(texts, **named)
    given = lexicon(list(texts)).argmax(1) if labels is None else torch.tensor(labels)
    return Batch(found, given, tuple(f"t{row}" for row in range(len(texts))))


@dataclass(frozen=True)
class Spoil(Threat[Texts]):
    """Spell every good word wrong, from the severity's place on; what it answers can be replaced by `answer`."""

    use: ClassVar[str] = "spoil"
    family: ClassVar[str] = "corruption"
    adaptive: ClassVar[bool] = False
    modality: ClassVar[str] = "text"

    severities: tuple[int, ...] = (1, 3)

    @property
    def levels(self) -> tuple[Fraction, ...]:
        return tuple(Fraction(severity) for severity in self.severities)

    def passes(self) -> float:
        return 0

    def perturb(self, victim, batch, level, seed):
        return batch.inputs.rewrite(lambda row, text: " ".join(_spoilt(text.split(), int(level))))


def _spoilt(words: list[str], most: int) -> list[str]:
    found = [place for place, word in enumerate(words) if word.strip(".,!").lower() in GOOD][:most]
    return [f"{word}x" if place in found else word for place, word in enumerate(words)]


@dataclass(frozen=True)
class Greedy(Spoil):
    """An attack that asks the victim after each spoilt word; the level is the number of words it may spoil."""

    use: ClassVar[str] = "greedy"
    family: ClassVar[str] = "attack"
    adaptive: ClassVar[bool] = True
    black_box: ClassVar[bool] = True

    def perturb(self, victim, batch, level, seed):
        texts = batch.inputs
        for most in range(1, int(level) + 1):
            standing = (victim.logits(texts).argmax(1) == batch.labels).nonzero().flatten().tolist()
            spoilt = batch.inputs.rewrite(lambda row, text, most=most: " ".join(_spoilt(text.split(), most)))
            texts = texts.put(standing, spoilt[standing])
        return texts
