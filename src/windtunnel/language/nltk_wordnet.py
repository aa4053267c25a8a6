"""WordNet as textattack reads it: NLTK's reader on the files as they are installed. Imports NLTK."""

from __future__ import annotations

import io
import warnings
from functools import cache
from typing import Any

from nltk.corpus.reader.wordnet import WordNetCorpusReader
from nltk.data import PathPointer, SeekableUnicodeStreamReader

from windtunnel.language.wordnet import Folder

LEXNAMES = """
adj.all adj.pert adv.all noun.Tops noun.act noun.animal noun.artifact noun.attribute noun.body noun.cognition noun.communication
noun.event noun.feeling noun.food noun.group noun.location noun.motive noun.object noun.person noun.phenomenon noun.plant
noun.possession noun.process noun.quantity noun.relation noun.shape noun.state noun.substance noun.time verb.body verb.change
verb.cognition verb.communication verb.competition verb.consumption verb.contact verb.creation verb.emotion verb.motion
verb.perception verb.possession verb.social verb.stative verb.weather adj.ppl
"""
"""Names of the files that the database was made from, in order, which NLTK's reader wants and Debian leaves out. Source: lexnames(5WN)."""


class _Pointer(PathPointer):  # type: ignore[misc]  # NLTK is not annotated
    """A file or folder, in a zip archive or not."""

    def __init__(self, path: Folder) -> None:
        self._path = path

    def join(self, fileid: str) -> _Pointer:
        """A file below."""
        return _Pointer(self._path / fileid)

    def open(self, encoding: str | None = None) -> Any:
        """The whole file in memory, since the reader jumps about in it."""
        if self._path.name == "lexnames" and not self._path.is_file():
            return io.StringIO("".join(f"{number:02d}\t{name}\t0\n" for number, name in enumerate(LEXNAMES.split())))
        return SeekableUnicodeStreamReader(io.BytesIO(self._path.read_bytes()), encoding or "utf-8")

    def file_size(self) -> int:
        """In bytes."""
        return len(self._path.read_bytes())


class _Reader(WordNetCorpusReader):  # type: ignore[misc]  # NLTK is not annotated
    """NLTK's reader on files outside the folders in which NLTK allows itself to look."""

    def open(self, file: str) -> Any:
        """One of the database files."""
        return self._root.join(file).open()

    def map_wn(self, version: str = "wordnet") -> None:
        """No mapping to another version, which only other languages need."""


@cache
def reader(folder: Folder) -> Any:
    """A `WordNetCorpusReader` for English, made once in a process."""
    with warnings.catch_warnings(action="ignore"):  # about the other languages, which nobody asked for
        return _Reader(_Pointer(folder), None)
