"""The package textattack: imported here and nowhere else, with nothing downloaded and the process left as it was."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, lru_cache
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from windtunnel.catalog import nltk_folders, textattack_cache
from windtunnel.errors import MissingPackageError
from windtunnel.language.stopwords import STOP_WORDS, StopWords

MARKER = "post_install_check_3"
"""The file by which textattack 0.3.11 knows that it need not download anything."""

FIRST = ("transformers", "datasets", "bert_score")
"""Imported before textattack, for they read the variables that are other ones while textattack is imported."""

PIECES = 100_000
"""Pieces of text whose words are remembered at most."""

READERS = ("word_swaps.word_swap_wordnet", "word_insertions.word_insertion_random_synonym")
"""Transformations that read WordNet."""

STAND_INS = {"flair": (), "flair.data": ("Tokenizer", "Sentence"), "flair.models": ("SequenceTagger",)}
"""What textattack names of flair while it is imported; only recipes that tag with flair go further."""


class _EnglishStopWords:
    """In place of NLTK's corpus: the same words, without a download."""

    def __init__(self, kind: StopWords) -> None:
        self._words = sorted(STOP_WORDS[kind])

    def words(self, language: str = "english") -> list[str]:
        """The words of a language, of which there is one."""
        if language != "english":
            raise LookupError(f"There are no stop words for {language!r}; only for 'english'.")
        return self._words


@cache
def textattack() -> ModuleType:
    """The package; its first import takes ten seconds.

    Raises:
        MissingPackageError: it is not installed.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # about Python and NumPy having moved on
            for name in FIRST:
                importlib.import_module(name)
            with _importing():
                return importlib.import_module("textattack")
    except ModuleNotFoundError as error:
        raise MissingPackageError(f"Attacks of textattack need that package ({error}). Install it with: pip install 'windtunnel[text]'") from error


@contextmanager
def provided(stop_words: StopWords, wordnet: Any = None) -> Iterator[None]:
    """While attacks are made and run: stop words and WordNet come from us, NLTK looks into our cache, too, and nobody downloads or talks.

    Args:
        wordnet: a reader as NLTK's; None where no recipe needs it.
    Raises:
        MissingPackageError: on entering, textattack is not installed; inside, something is not where it was found before.
    """
    import nltk

    textattack()
    install, utils = (importlib.import_module(f"textattack.{name}") for name in ("shared.utils.install", "shared.utils"))
    with warnings.catch_warnings(action="ignore"), ExitStack() as stack:
        stack.enter_context(replaced(nltk, download=lambda *names, **options: True))
        stack.enter_context(replaced(nltk.corpus, stopwords=_EnglishStopWords(stop_words)))
        stack.enter_context(replaced(nltk.data, path=list(dict.fromkeys([*nltk.data.path, *map(str, nltk_folders())]))))
        stack.enter_context(replaced(install, TEXTATTACK_CACHE_DIR=str(textattack_cache()), http_get=_refuse))
        stack.enter_context(replaced(utils.logger, disabled=True))
        for name in READERS if wordnet is not None else ():
            stack.enter_context(replaced(importlib.import_module(f"textattack.transformations.{name}"), wordnet=wordnet))
        yield


@contextmanager
def remembering() -> Iterator[None]:
    """While texts are changed: each piece of text is cut into words once, where textattack does so for every word of every candidate."""
    module = importlib.import_module("textattack.shared.attacked_text")
    given = module.words_from_text
    cut = lru_cache(PIECES)(lambda text, ignored: tuple(given(text, list(ignored))))
    with replaced(module, words_from_text=lambda text, words_to_ignore=(): list(cut(text, tuple(words_to_ignore)))):
        yield


def _refuse(address: str, *others: Any, **options: Any) -> None:
    raise MissingPackageError(f"textattack wants to download {address}; nothing is downloaded while an attack runs.")


@contextmanager
def _importing() -> Iterator[None]:
    """What textattack needs and does at import, undone afterwards: stand-ins, variables, silenced loggers."""
    import nltk

    manager = logging.root.manager
    loud = [each for each in manager.loggerDict.values() if isinstance(each, logging.Logger) and not each.disabled]
    variables = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        Path(folder, MARKER).touch()
        stack.callback(_put_back, variables, loud)
        stack.enter_context(replaced(nltk, download=lambda *names, **options: True))
        stack.enter_context(replaced(nltk.corpus, stopwords=_EnglishStopWords("nltk-198")))
        if importlib.util.find_spec("flair") is None:
            stack.enter_context(_stand_ins())
        os.environ["TA_CACHE_DIR"] = folder
        yield


def _put_back(variables: dict[str, str], loud: list[logging.Logger]) -> None:
    os.environ.clear()
    os.environ.update(variables)
    for logger in loud:
        logger.disabled = False


@contextmanager
def _stand_ins() -> Iterator[None]:
    """Empty classes under the names of flair, which caps transformers below 5."""
    modules = {}
    for name, classes in STAND_INS.items():
        modules[name] = module = ModuleType(name)
        module.__spec__ = ModuleSpec(name, None)
        for each in classes:
            setattr(module, each, type(each, (), {}))
    modules["flair"].__dict__.update(data=modules["flair.data"], models=modules["flair.models"])
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in modules:
            del sys.modules[name]


@contextmanager
def replaced(thing: Any, **values: Any) -> Iterator[None]:
    """Other attributes for a while."""
    before = {name: getattr(thing, name) for name in values}
    for name, value in values.items():
        setattr(thing, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(thing, name, value)
