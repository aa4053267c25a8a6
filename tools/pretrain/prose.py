"""Text without labels: sentences of sentiment-4 outside its test split, and the glosses of WordNet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from windtunnel.datasets import sentiment, vader

WORDNET = Path("/usr/share/wordnet")  # where Debian's package wordnet-base puts the database
PARTS_OF_SPEECH = ("noun", "verb", "adj", "adv")
SIMILAR = "&"  # WordNet's pointer between an adjective and its satellites


def domain_sentences(archive: Path) -> list[str]:
    """Sentences of the four domains; none is in a test split, nor equal to one that is but for case and spaces."""
    kept: list[str] = []
    tested: set[str] = set()
    for domain in vader.FILES:
        sentences = vader.read_domain(archive, domain)
        rows = sentiment.official_split(sentences)
        kept.extend(sentences[row].text for row in rows["train"])
        tested.update(sentiment.plain_text(sentences[row].text) for row in rows["test"])
    return [text for text in kept if sentiment.plain_text(text) not in tested]


def wordnet_lines(folder: Path, part_of_speech: str) -> Iterator[str]:
    """A line for each synset: its words, those of similar adjectives, and the gloss with its examples."""
    lines = [line for line in (folder / f"data.{part_of_speech}").read_text().splitlines() if not line.startswith("  ")]
    words = {line[:8]: _words(line.split()) for line in lines}
    for line in lines:
        fields, gloss = line.partition(" | ")[0].split(), line.partition(" | ")[2].strip()
        similar = [word for target in _similar(fields) for word in words[target]]
        yield f"{', '.join([*words[line[:8]], *similar])}: {gloss}"


def _words(fields: list[str]) -> list[str]:
    """The words of a synset; their number is hexadecimal, an adjective's position stands in brackets behind it."""
    count = int(fields[3], 16)
    return [word.partition("(")[0].replace("_", " ") for word in fields[4 : 4 + 2 * count : 2]]


def _similar(fields: list[str]) -> list[str]:
    """Offsets of the synsets that this one points to as similar."""
    start = 5 + 2 * int(fields[3], 16)
    pointers = (fields[place : place + 4] for place in range(start, start + 4 * int(fields[start - 1]), 4))
    return [offset for symbol, offset, _, _ in pointers if symbol == SIMILAR]
