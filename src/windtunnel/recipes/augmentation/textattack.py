"""The augmenters of the package textattack, by name, each text's own versions made once."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any, ClassVar, Final, Literal, NamedTuple

from pydantic.dataclasses import dataclass

from windtunnel.core.configured import STRICT
from windtunnel.core.modality import TEXT
from windtunnel.core.part import Augmentation, Fitting, Hooks, Minibatch
from windtunnel.core.resource import Resource
from windtunnel.core.texts import Texts
from windtunnel.language.resources import RESOURCES
from windtunnel.recipes.arguments import Chance, Count
from windtunnel.seeding import reseed, scoped

Name = Literal["eda", "synonyms", "insertions", "swaps", "deletions", "embedding", "charswap", "checklist", "clare"]


class Kind(NamedTuple):
    """An augmenter.

    Args:
        title: its class in `textattack.augmentation.recipes`.
        needs: resources, by their names in `windtunnel.language.resources`.
    """

    title: str
    needs: tuple[str, ...] = ()


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "eda": Kind("EasyDataAugmenter", ("wordnet",)),
        "synonyms": Kind("WordNetAugmenter", ("wordnet",)),
        "insertions": Kind("SynonymInsertionAugmenter", ("wordnet",)),
        "swaps": Kind("SwapAugmenter"),
        "deletions": Kind("DeletionAugmenter"),
        "embedding": Kind("EmbeddingAugmenter", ("embedding",)),
        "charswap": Kind("CharSwapAugmenter"),
        "checklist": Kind("CheckListAugmenter", ("flair",)),
        "clare": Kind("CLAREAugmenter", ("distilroberta-base", "universal-sentence-encoder")),
    }
)
"""Without back-translation, which downloads a model for each language that it draws."""

UNORDERED: Final = ("_get_replacement_words", "_get_synonyms")
"""Methods of its transformations whose answers come out of a set, in an order that differs from process to process."""

KNOWN: Final = 50_000
"""Words whose synonyms are remembered at most, since looking them up costs more than all else."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class TextAttackAugmenter(Augmentation):
    """Each of some texts is replaced by one of its versions, which an augmenter of textattack makes before the training starts.

    It overwrites what augmentations before it did, so that it goes first.

    Args:
        name: of the augmenter: all of EDA, its synonyms, insertions, swaps or deletions alone, neighbours in an embedding, typos, CheckList or
            CLARE.
        share: of a text's words that change.
        variants: versions of each text, one at random in every epoch; a version takes some hundredths of a second, before the training.
        p: chance that a text is replaced.
    Source:
        The package textattack, Morris et al. 2020, arXiv 2005.05909, with its default share.
    """

    use: ClassVar[str] = "textattack-augmenter"
    modality: ClassVar[str] = TEXT
    libraries: ClassVar[tuple[str, ...]] = ("numpy", "torch", "transformers", "textattack", "nltk")

    name: Name
    share: Chance = 0.1
    variants: Count = 4
    p: Chance = 0.5

    def resources(self) -> Sequence[tuple[str, Resource]]:
        """What the augmenter reads."""
        return [(f"{self.use} {self.name}", RESOURCES[each]) for each in KINDS[self.name].needs]

    def begin(self, fitting: Fitting) -> Hooks:
        """Replacing texts.

        Raises:
            MissingPackageError: textattack is not installed.
            ResourceError: something that the augmenter reads is not installed.
        """
        self.require()
        return _Replaced(self, fitting, versions(self, fitting.train.texts(), fitting.train.ids, fitting.seed))


class _Replaced(Hooks):
    def __init__(self, settings: TextAttackAugmenter, fitting: Fitting, made: Mapping[str, Sequence[tuple[str, ...]]]) -> None:
        self.settings, self.fitting, self.made = settings, fitting, made

    def augment(self, minibatch: Minibatch) -> Minibatch:
        texts: Texts = minibatch.inputs
        drawn = self.fitting.uniforms("textattack-augmenter", minibatch.ids, 2)
        rows = [
            self.made[name][int(which * len(self.made[name]))] if chance < self.settings.p else row
            for row, name, (chance, which) in zip(texts, minibatch.ids, drawn.tolist(), strict=True)
        ]
        return replace(minibatch, inputs=replace(texts, rows=tuple(rows)))


def versions(settings: TextAttackAugmenter, texts: Texts, ids: Sequence[str], seed: int) -> dict[str, list[tuple[str, ...]]]:
    """Versions of each text, by its id; draws keyed by seed and id."""
    found, count = {}, settings.variants
    with _augmenter(settings) as augment, scoped("textattack-augmenter", seed):
        for name, row in zip(ids, texts, strict=True):
            columns = [
                _several(augment, text, count, (seed, name, field)) if field in texts.open else [text] * count
                for field, text in zip(texts.fields, row, strict=True)
            ]
            found[name] = list(zip(*columns, strict=True))
    return found


def _several(augment: Callable[[str], list[str]], text: str, count: int, key: tuple[str | int, ...]) -> list[str]:
    """So many versions of one text, in an order that is the same in every process."""
    found: list[str] = []
    while len(found) < count:
        reseed("textattack-augmenter", *key, len(found))
        found += sorted(augment(text)) if text.strip() else [text]
    return found[:count]


@contextmanager
def _augmenter(settings: TextAttackAugmenter) -> Iterator[Callable[[str], list[str]]]:
    """What makes versions of a text."""
    from windtunnel.language.textattack import provided, remembering

    kind = KINDS[settings.name]
    with provided("nltk-198", _wordnet() if "wordnet" in kind.needs else None), remembering():
        recipes = importlib.import_module("textattack.augmentation.recipes")
        # EDA makes at least one text in each of its four ways.
        count = 4 if settings.name == "eda" else 1
        made = getattr(recipes, kind.title)(pct_words_to_swap=settings.share, transformations_per_example=count)
        for part in (made, *vars(made).values()):
            _order(getattr(part, "transformation", None))
        yield made.augment


def _wordnet() -> Any:
    from windtunnel.language.nltk_wordnet import reader
    from windtunnel.language.wordnet import find_wordnet

    folder = find_wordnet()
    assert folder is not None, "the augmentation has asked for it"
    return reader(folder)


def _order(transformation: Any) -> None:
    """Have a transformation name its candidates for a word in their order, and look them up once."""
    for name in UNORDERED:
        if (given := getattr(transformation, name, None)) is not None:
            setattr(transformation, name, lru_cache(KNOWN)(_sorted(given)))


def _sorted(given: Callable[[str], list[str]]) -> Callable[[str], list[str]]:
    return lambda word: sorted(given(word))
