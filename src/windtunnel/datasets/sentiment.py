"""sentiment-4: rated sentences of four domains, each the natural-shift partner of the others."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.dataset import Dataset, Indices, Splits
from windtunnel.core.modality import TEXT
from windtunnel.core.texts import Texts
from windtunnel.datasets import files, stored, vader
from windtunnel.datasets.content import Content
from windtunnel.datasets.grouping import grouped_split
from windtunnel.datasets.source import SplittingSource
from windtunnel.datasets.vader import Digests, Sentence

BINARY = ("negative", "positive")
GRADED = ("very negative", "negative", "neutral", "positive", "very positive")
NEUTRAL, STRONG = 0.5, 2.0  # ours: an eighth and a half of the way from the middle of the scale to its ends
OFFICIAL = {"train": Fraction(3, 4), "test": Fraction(1, 4)}
OFFICIAL_SEED = 0

Size = Annotated[float, Field(ge=0, lt=vader.HIGHEST)]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Sentiment(SplittingSource):
    """Sentences with the mean rating of at least 20 people, cut into classes; one domain at a time.

    The test split is the same whatever the arguments, a quarter of the documents, so that `windtunnel/micro-bert`, which was
    pre-trained on sentences outside it, has seen no test sentence of any of them.

    Args:
        domain: movie (single sentences of reviews), product (sentences of customers' reviews), tweet, or editorial (sentences of
            newspaper articles). Sentences of one review or article stay in one split.
        classes: 2 for negative and positive, 5 for grades from very negative to very positive.
        neutral: largest size of a neutral rating, on the scale from -4 to 4. Neutral sentences are left out where there are 2
            classes, and are the middle class of 5.
        strong: sizes above this one are graded "very"; at least `neutral`.
        path: folder of the source distribution of vaderSentiment 3.3.2, to which it is downloaded if it is missing; `sentiment-4`
            below $WINDTUNNEL_DATA (else below ~/.cache/windtunnel/data) if left out.
        fractions: the first two are the proportion in which val is cut from train.
        seed: another seed is another val.
    Source:
        Hutto and Gilbert 2014, "VADER: A parsimonious rule-based model for sentiment analysis of social media text", ICWSM.
    Deviation:
        The published sentences have no splits, and ratings for labels; both cuts are ours. Of sentences that are equal but for case
        and white space one is kept, and none where their labels differ.
    """

    use: ClassVar[str] = "sentiment-4"
    digests: ClassVar[Digests] = vader.PUBLISHED

    domain: Literal["movie", "product", "tweet", "editorial"] = "movie"
    classes: Literal[2, 5] = 2
    neutral: Size = NEUTRAL
    strong: Size = STRONG
    path: str | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.strong < self.neutral:
            raise ValueError(f"`strong` is {self.strong} and `neutral` is {self.neutral}; it must be at least as large")
        return self

    @property
    def title(self) -> str:
        """The name with the domain."""
        return f"{self.use}/{self.domain}"

    @property
    def modality(self) -> str:
        """Its samples are texts."""
        return TEXT

    @property
    def root(self) -> Path:
        """The folder of the source distribution."""
        return stored.place(self.path, self.use)

    def load(self) -> Splits:
        """Fetch what is missing, check, label, de-duplicate and split the sentences.

        Raises:
            DataError: the sentences cannot be fetched, or what is there is not the published file.
        """
        sentences = vader.read_domain(vader.fetch(self.root), self.domain, self.digests)
        parts, unlabelled = {}, []
        for split, rows in official_split(sentences).items():
            members = [sentences[row] for row in rows]
            labelled = [self.classes == len(GRADED) or abs(member.rating) > self.neutral for member in members]
            parts[split] = self._part([member for member, kept in zip(members, labelled, strict=True) if kept])
            unlabelled += [self._id(member) for member, kept in zip(members, labelled, strict=True) if not kept]
        return self.assemble(parts, excluded=unlabelled)

    def stamp(self) -> str:
        """A text that changes with the arguments and the place, size or time of the file."""
        return self.evidence(str(self.root), *files.state(self.root, [self.root / vader.ARCHIVE]))

    def likened(self, parts: Mapping[str, Dataset], contents: Mapping[str, Content]) -> Mapping[str, Content]:
        """Sentences count as equal where they differ in case and white space only."""
        plain = {name: plain_text(text) for part in parts.values() for name, (text,) in zip(part.ids, part.texts(), strict=True)}
        return {name: replace(contents[name], digest=hashlib.sha256(text.encode()).digest()) for name, text in plain.items()}

    def draw(self, train: Dataset, shares: Mapping[str, Fraction]) -> dict[str, Indices]:
        """Splits that hold whole reviews and articles."""
        documents = [name.rpartition("/")[2].partition("_")[0] for name in train.ids]
        return grouped_split(train.labels, documents, shares, self.seed)

    def _part(self, members: Sequence[Sentence]) -> Dataset:
        ratings = [member.rating for member in members]
        labels = grades(ratings, self.neutral, self.strong) if self.classes == len(GRADED) else (np.asarray(ratings) > 0).astype(np.int64)
        names = GRADED if self.classes == len(GRADED) else BINARY
        ids = tuple(self._id(member) for member in members)
        return Dataset(self.title, names, ids, labels, Texts.of([member.text for member in members]))

    def _id(self, sentence: Sentence) -> str:
        return f"{self.title}/{sentence.name}"


def grades(ratings: Sequence[float], neutral: float, strong: float) -> Indices:
    """Ratings as indices into `GRADED`.

    Args:
        ratings: on the scale from -4 to 4.
        neutral: largest size of a neutral rating.
        strong: largest size of a rating that is not "very".
    """
    values = np.asarray(ratings, dtype=np.float64)
    steps = (np.abs(values) > neutral).astype(np.int64) + (np.abs(values) > strong)
    middle: Indices = GRADED.index("neutral") + np.sign(values).astype(np.int64) * steps
    return middle


def official_split(sentences: Sequence[Sentence]) -> dict[str, Indices]:
    """Rows of the two splits that never change: by grade in proportion, each document whole."""
    strata = grades([sentence.rating for sentence in sentences], NEUTRAL, STRONG)
    return grouped_split(strata, [sentence.document for sentence in sentences], OFFICIAL, OFFICIAL_SEED)


def plain_text(text: str) -> str:
    """The text without what two near-equal texts differ in: case and white space."""
    return " ".join(text.casefold().split())
