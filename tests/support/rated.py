"""Small archives in the form of vaderSentiment's source distribution."""

import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from windtunnel.datasets import vader
from windtunnel.datasets.vader import Digests

RATINGS = (-3.5, -1.5, 0.25, 1.5, 3.5)
"""One for each of the five grades."""


def rated(documents: int, sentences: int) -> str:
    """The file of one domain: documents of so many sentences, their ratings going round through the grades."""
    lines = []
    for document in range(1, documents + 1):
        for number in range(1, sentences + 1):
            place = document if sentences == 1 else f"{document}_{number}"
            rating = RATINGS[(document + number) % len(RATINGS)]
            lines.append(f"{place}\t{rating}\tSentence {number} of document {document} feels like {rating}.")
    return "\r\n".join(lines)


def packed(members: Mapping[str, bytes]) -> bytes:
    """A gzipped tar archive."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, member in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(member)
            archive.addfile(entry, io.BytesIO(member))
    return content.getvalue()


def write_archive(folder: Path, **domains: str) -> Digests:
    """Write a source distribution with a file for every domain; those not given hold 40 documents of a sentence each."""
    inner = packed({vader.FILES[domain]: domains.get(domain, rated(40, 1)).encode() for domain in vader.FILES})
    outer = packed({vader.INNER: inner})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / vader.ARCHIVE).write_bytes(outer)
    return Digests(hashlib.sha256(outer).hexdigest(), hashlib.sha256(inner).hexdigest())
