"""The text perturbations on one core: short texts, long documents, and documents that would trip up a careless pattern."""

from __future__ import annotations

import time
from functools import partial

from perf.report import Figure, Section
from perf.timing import Job, Times, interleave
from windtunnel.builtins import THREATS
from windtunnel.core.texts import Texts
from windtunnel.threats.text.perturb import perturbation_names
from windtunnel.threats.text.perturbation import Perturbation

SENTENCES = (
    "The director keeps the camera close to his two leads, and what they can't say is written all over their faces.",
    "it 's a slow , patient film that finds more in one kitchen than most thrillers find in a whole city .",
    "Nothing in the last 40 minutes is earned, and the score by Hans Keller never lets you forget that you should weep.",
    "A great cast is wasted on a script that doesn't know whether it is a farce, a musical or a sermon.",
    "you may not laugh out loud , but you will smile through most of its 97 minutes and remember it in the morning .",
    "Somewhere in Lisbon a better movie was waiting to be made; this one settles for postcards, accordions and honor among thieves.",
    "the colors are gorgeous , the dialogue is anything but , and the ending would have been old news in 1985 .",
    "They're right about Maria Santos: she is the whole show, and the theater was quiet for a minute after she had gone.",
)
"""Written for this page in the style of reviews, about 20 words each; half of them split as tokenisers leave them."""

HOSTILE = ("a" * 100_000, " " * 100_000, "." * 100_000, "a " * 50_000, "A'" * 50_000, "n't " * 25_000, "it is" * 20_000, "1" * 100_000)
"""One word, one gap, one mark, and short pieces over and over."""

COUNT = 1000
LENGTH = 100_000
SEVERITY = 5
ROUNDS = 3
TARGET = 5000

TEXT = """\
{count} sentences of about 20 words, a document of {length:,} characters made of them, and the slowest of {hostile} documents of as many characters
that repeat one thing, all at severity {severity}, the one with most to change, with fresh generators. Processor time of one core, medians of
{rounds} interleaved rounds; the last column is the document over a quarter of it, for which work in proportion to the length gives 4.

| perturbation | sentences a second | document, ms | worst document, ms | times the quarter |
|---|---|---|---|---|
{rows}
"""


def measure(rounds: int = ROUNDS, count: int = COUNT) -> Section:
    """Speed of all of them."""
    rates: dict[str, float] = {}
    longest: dict[str, float] = {}
    rows = []
    for name in perturbation_names():
        found = times(name, rounds, count)
        rates[name] = count / found["sentences"].median
        hostile = max(found[f"hostile {row}"].median for row in range(len(HOSTILE)))
        longest[name] = max(found["document"].median, hostile)
        growth = found["document"].median / found["quarter"].median
        rows.append(f"| {name} | {rates[name]:,.0f} | {found['document'].median * 1000:.1f} | {hostile * 1000:.1f} | {growth:.1f} |")
    text = TEXT.format(count=count, length=LENGTH, hostile=len(HOSTILE), severity=SEVERITY, rounds=rounds, rows="\n".join(rows))
    return Section("perturbations", _figures(rates, longest), text)


def times(name: str, rounds: int, count: int) -> dict[str, Times]:
    """Seconds of one perturbation, by what is perturbed."""
    threat = THREATS.load(name)()
    assert isinstance(threat, Perturbation)
    material = {"sentences": sentences(count), "document": [document(LENGTH)], "quarter": [document(LENGTH // 4)]}
    material.update({f"hostile {row}": [text] for row, text in enumerate(HOSTILE)})
    jobs = [Job(each, partial(perturb, threat, texts)) for each, texts in material.items()]
    return interleave(jobs, rounds, time.process_time)


def perturb(threat: Perturbation, texts: list[str], _: None = None) -> Texts:
    """What `windtunnel.perturb_text` does, without its checks."""
    return threat.rewritten(Texts.of(texts), [str(row) for row in range(len(texts))], SEVERITY, 0)


def sentences(count: int) -> list[str]:
    """So many, over and over; each has draws of its own."""
    return [SENTENCES[row % len(SENTENCES)] for row in range(count)]


def document(length: int) -> str:
    """The sentences as one text of so many characters."""
    once = " ".join(SENTENCES) + " "
    return (once * (length // len(once) + 1))[:length]


def _figures(rates: dict[str, float], longest: dict[str, float]) -> tuple[Figure, ...]:
    slowest = min(rates, key=lambda name: rates[name])
    last = max(longest, key=lambda name: longest[name])
    return (
        Figure(
            f"perturbations: sentences a second a core, the slowest of {len(rates)}",
            f"at least {TARGET:,}",
            f"{slowest}: {rates[slowest]:,.0f}",
            rates[slowest] >= TARGET,
        ),
        Figure(
            f"perturbations: a document of {LENGTH:,} characters, the slowest perturbation and text",
            "under 1 s",
            f"{last}: {longest[last] * 1000:.0f} ms",
            longest[last] < 1,
        ),
    )
