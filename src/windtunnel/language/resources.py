"""Resources: what attacks on texts read besides the texts, where it is looked for, and how to get it. Nothing is downloaded unless asked for."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import shutil
import tempfile
import urllib.request
import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final

from windtunnel.catalog import nltk_folders, tensorflow_hub_cache, textattack_cache
from windtunnel.core.resource import Resource
from windtunnel.errors import ResourceError
from windtunnel.language.wordnet import fetch_wordnet, find_wordnet

ENCODER = "https://tfhub.dev/google/universal-sentence-encoder/3"
"""The Universal Sentence Encoder that textattack loads."""

TEXTATTACK_FILES = "https://textattack.s3.amazonaws.com"
"""Where textattack's own files are published."""

WEIGHTS = ("*.safetensors", "*.bin")
"""Files of weights that torch reads."""


def _package(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _nltk(*paths: str) -> bool:
    """Whether NLTK finds each of some data, unpacked or not."""
    return all(any((folder / path).is_dir() or (folder / f"{path}.zip").is_file() for folder in nltk_folders()) for path in paths)


def _cached(path: str) -> bool:
    return (textattack_cache() / path).exists()


def _hub(name: str) -> bool:
    """Whether a model of the Hugging Face hub is in its cache with its weights, which an interrupted download may lack."""
    if not _package("huggingface_hub"):
        return False
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(name, "config.json")
    return isinstance(config, str) and any(path.is_file() for kind in WEIGHTS for path in Path(config).parent.glob(kind))


def _encoder() -> bool:
    """TensorFlow Hub keeps a module under the sha1 of its address."""
    return _package("tensorflow_hub") and (tensorflow_hub_cache() / hashlib.sha1(ENCODER.encode(), usedforsecurity=False).hexdigest()).is_dir()


def _hub_model(name: str, what: str) -> Resource:
    return Resource(f"{what} {name}", lambda: _hub(name), f"Get it with: hf download {name}", partial(_from_hub, name))


def _file(path: str, what: str) -> Resource:
    remedy = f"Put {TEXTATTACK_FILES}/{path} (unpacked, if it is a zip archive) at {textattack_cache() / path}"
    return Resource(what, lambda: _cached(path), remedy, partial(_from_textattack, path))


def _from_nltk(*names: str) -> None:
    """NLTK's own download, into the user's folder."""
    import nltk

    for name in names:
        nltk.download(name, download_dir=str(Path.home() / "nltk_data"), quiet=True, raise_on_error=True, print_error_to=io.StringIO())


def _wordnet() -> None:
    """From the package index, whose copy has a known digest; else from NLTK."""
    try:
        fetch_wordnet()
    except ResourceError as error:
        try:
            _from_nltk("wordnet")
        except ValueError as second:
            raise ResourceError(f"package index: {error}; NLTK: {second}") from second


def _from_hub(name: str) -> None:
    from huggingface_hub import snapshot_download

    snapshot_download(name)


def _from_textattack(path: str) -> None:
    """A file of textattack's, or the folder that it is packed into, moved into its cache when it is whole."""
    target = textattack_cache() / path
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetching-") as folder:
        loaded = Path(folder, "loaded")
        with urllib.request.urlopen(f"{TEXTATTACK_FILES}/{path}", timeout=60) as answer, loaded.open("wb") as file:
            shutil.copyfileobj(answer, file)
            wanted, got = int(answer.headers.get("Content-Length") or 0), file.tell()
        if got < wanted:  # which neither urllib nor copyfileobj tells
            raise OSError(f"the connection ended after {got:,} of {wanted:,} bytes")
        if zipfile.is_zipfile(loaded):
            with zipfile.ZipFile(loaded) as archive:
                archive.extractall(folder)
            loaded = Path(folder, target.name)
        loaded.replace(target)


RESOURCES: Final[Mapping[str, Resource]] = MappingProxyType(
    {
        "wordnet": Resource(
            "WordNet 3.0",
            lambda: find_wordnet() is not None,
            "Install the Debian package wordnet-base, or run: python -m nltk.downloader wordnet",
            _wordnet,
        ),
        "multilingual-wordnet": Resource(
            "the Open Multilingual WordNet",
            lambda: _nltk("corpora/omw-1.4", "corpora/wordnet"),
            "Get it with: python -m nltk.downloader wordnet omw-1.4",
            partial(_from_nltk, "wordnet", "omw-1.4"),
        ),
        "tagger": Resource(
            "NLTK's part-of-speech tagger",
            lambda: _nltk("taggers/averaged_perceptron_tagger_eng", "taggers/universal_tagset"),
            "Get it with: python -m nltk.downloader averaged_perceptron_tagger_eng universal_tagset",
            partial(_from_nltk, "averaged_perceptron_tagger_eng", "universal_tagset"),
        ),
        "flair": Resource(
            "the taggers of flair",
            lambda: _package("flair"),
            "Install it with: pip install 'flair>=0.15' 'transformers<5'. It downloads the tagger itself",
        ),
        "universal-sentence-encoder": Resource(
            "the Universal Sentence Encoder",
            _encoder,
            f"Get it with: pip install tensorflow tensorflow_hub; python -c \"import tensorflow_hub; tensorflow_hub.load('{ENCODER}')\"",
        ),
        "stsb-distilbert-base": Resource(
            "the sentence encoder stsb-distilbert-base",
            lambda: _package("sentence_transformers") and _hub("sentence-transformers/stsb-distilbert-base"),
            "Get it with: pip install sentence_transformers; hf download sentence-transformers/stsb-distilbert-base",
        ),
        "bert-base-uncased": _hub_model("bert-base-uncased", "the masked language model"),
        "distilroberta-base": _hub_model("distilroberta-base", "the masked language model"),
        "gpt2": _hub_model("gpt2", "the language model"),
        "embedding": _file("word_embeddings/paragramcf", "the counter-fitted word vectors"),
        "hownet": _file("transformations/hownet/word_candidates_sense.pkl", "HowNet's synonyms"),
        "learning-to-write": _file("constraints/grammaticality/language-models/learning-to-write", "the language model of Learning to Write"),
        "google-language-model": _file("constraints/semantics/language-models/alzantot-goog-lm", "Google's language model of a billion words"),
    }
)
"""By the name under which attacks ask for it."""
