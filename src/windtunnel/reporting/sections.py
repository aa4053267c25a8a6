"""Sections: what the page says in words and tables, drawn from the records."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from windtunnel.core.configured import brief
from windtunnel.core.record import Record
from windtunnel.reporting.attacks import STATUSES, Attack
from windtunnel.reporting.folder import RunFolder
from windtunnel.reporting.leaderboard import Entry, Leaderboard, Pair
from windtunnel.reporting.measures import Measure
from windtunnel.reporting.texts import one_line
from windtunnel.reporting.wording import Side, side

# The order in which a person would write a suite; a manifest keeps its keys sorted.
_SUITE_ORDER = (
    "suite",
    "models",
    "data",
    "samples",
    "val_samples",
    "recipes",
    "conditions",
    "benchmarks",
    "seeds",
    "selection",
    "normaliser",
    "threads",
)

# The options of `windtunnel evaluate` that change a number, in its own order.
_EVALUATE = ("model", "benchmark", "recipe", "data", "samples", "architecture", "catalog")

# Pictures and texts beyond this many characters are left out, so that the page opens on a phone.
_PICTURES = 6_000_000

_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")


@dataclass(frozen=True)
class FlagGroup:
    """One kind of flag and the cells that carry it."""

    name: str
    messages: tuple[str, ...]
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Sample:
    """One input before and after a threat, as pictures or texts; class names instead of indices."""

    id: str
    level: str
    label: str
    before: str
    after: str
    images: tuple[str, ...]
    texts: tuple[Side, ...] = ()

    @property
    def size(self) -> int:
        """Characters of the page it takes."""
        return sum(map(len, self.images)) + sum(len(each.before) + len(each.after) for each in self.texts)


@dataclass(frozen=True)
class SampleGroup:
    """Samples of one threat, as several entries saw them."""

    benchmark: str
    threat: str
    family: str
    rows: tuple[tuple[Entry, tuple[Sample, ...]], ...]


@dataclass(frozen=True)
class Samples:
    """All that is shown of the inputs; `left_out` threats had no room."""

    groups: tuple[SampleGroup, ...]
    left_out: int


@dataclass(frozen=True)
class AttackGroup:
    """One attack at one level; `thresholds` are the numbers that bound it."""

    benchmark: str
    threat: str
    level: str
    thresholds: str
    rows: tuple[tuple[Entry, Attack], ...]

    @property
    def endings(self) -> tuple[tuple[int, str], ...]:
        """Places and names of the ways in which attempts ended; of the last two, those that occur."""
        counts = [attack.counts for _, attack in self.rows if attack.counts]
        return tuple((place, name) for place, name in enumerate(STATUSES) if place < 3 or any(each[place] for each in counts))

    @property
    def similar(self) -> bool:
        """Whether anything measured similarity."""
        return any(attack.similarity is not None for _, attack in self.rows)

    @property
    def fell(self) -> bool:
        """Whether any sample fell, so that there was something to measure."""
        return any(attack.words is not None for _, attack in self.rows)


def flag_groups(folder: RunFolder) -> tuple[FlagGroup, ...]:
    """Every kind of flag of the run, by name."""
    found: dict[str, list[Record]] = {}
    messages: dict[str, dict[str, None]] = {}
    for record in folder.records:
        for flag in folder.flags(record):
            found.setdefault(flag.name, []).append(record)
            messages.setdefault(flag.name, {})[flag.message] = None
    return tuple(FlagGroup(name, tuple(messages[name])[:3], tuple(str(record.labels) for record in found[name])) for name in sorted(found))


def matrix(board: Leaderboard) -> tuple[tuple[Entry, tuple[Pair | None, ...]], ...]:
    """Ranked entries against one another; None on the diagonal and where a comparison is impossible."""
    pairs = {frozenset((pair.left, pair.right)): pair for pair in board.pairs}
    ranked = [entry for entry in board.entries if entry.rank is not None]
    return tuple((row, tuple(pairs.get(frozenset((row.name, column.name))) for column in ranked)) for row in ranked)


def detail_rows(board: Leaderboard) -> tuple[tuple[Entry, tuple[Any, ...]], ...]:
    """The further metrics of each entry, in the order of `detail_titles`."""
    by_entry: dict[tuple[str, str], list[Any]] = {}
    for detail in board.details:
        by_entry.setdefault((detail.model, detail.recipe), []).append(detail)
    return tuple((entry, tuple(by_entry.get((entry.model, entry.recipe), ()))) for entry in board.entries) if board.details else ()


def measure_rows(board: Leaderboard) -> tuple[tuple[Entry, tuple[Measure, ...]], ...]:
    """The measures of each entry, in the same order for all."""
    by_entry: dict[tuple[str, str], list[Measure]] = {}
    for measure in board.measures:
        by_entry.setdefault((measure.model, measure.recipe), []).append(measure)
    return tuple((entry, tuple(by_entry[entry.model, entry.recipe])) for entry in board.entries) if board.measures else ()


def attack_groups(board: Leaderboard) -> tuple[AttackGroup, ...]:
    """How each attack that tells went, an entry a row, in the order of the ranking."""
    entries = {(entry.model, entry.recipe): entry for entry in board.entries}
    places = {name: place for place, name in enumerate(entries)}
    found: dict[tuple[str, str, str], list[Attack]] = {}
    for attack in board.attacks:
        found.setdefault((attack.benchmark, attack.threat, attack.level), []).append(attack)
    return tuple(
        AttackGroup(
            *name,
            thresholds=", ".join(f"{key} {value:g}" for key, value in group[0].thresholds.items()),
            rows=tuple((entries[each.model, each.recipe], each) for each in sorted(group, key=lambda each: places[each.model, each.recipe])),
        )
        for name, group in found.items()
    )


def portrayed(board: Leaderboard) -> list[Entry]:
    """The entries of which samples are shown: the best and the last of the ranking."""
    ranked = [entry for entry in board.entries if entry.rank is not None] or list(board.entries)
    return [ranked[0], ranked[-1]] if len(ranked) > 1 else ranked[:1]


def samples(folder: RunFolder, board: Leaderboard) -> Samples:
    """Samples before and after each threat, as the best and the last of the ranking saw them."""
    chosen = portrayed(board)
    groups, spent, left_out = [], 0, 0
    for benchmark in folder.manifest.benchmarks:
        for threat in benchmark.threats:
            rows = tuple((entry, _seen(folder, entry, benchmark.name, threat.name)) for entry in chosen)
            size = sum(sample.size for _, row in rows for sample in row)
            if not size:
                continue
            if spent + size > _PICTURES:
                left_out += 1
                continue
            spent += size
            groups.append(SampleGroup(benchmark.name, threat.name, threat.family, tuple(row for row in rows if row[1])))
    return Samples(tuple(groups), left_out)


def _seen(folder: RunFolder, entry: Entry, benchmark: str, threat: str) -> tuple[Sample, ...]:
    for seed in folder.manifest.seeds:
        record = folder.cell(entry.model, entry.recipe, seed, benchmark, threat)
        if record is not None and record.examples:
            classes = tuple(record.facts.get("classes") or folder.manifest.data.classes)
            return tuple(_sample(example, classes) for example in record.examples)
    return ()


def _sample(example: Mapping[str, Any], classes: Sequence[str]) -> Sample:
    def name(index: int) -> str:
        return str(classes[index]) if 0 <= index < len(classes) else str(index)

    images = tuple(str(image) for image in example.get("images", ()) if _BASE64.fullmatch(str(image)))
    verdicts = name(example["label"]), name(example["before"]), name(example["after"])
    return Sample(str(example["id"]), str(example["level"]), *verdicts, images, _sides(example))


def _sides(example: Mapping[str, Any]) -> tuple[Side, ...]:
    """The texts of an example, if it has any; a single one goes without its name."""
    fields = [str(field) for field in example.get("fields", ())]
    before, after = example.get("texts") or ((), ())
    shown = fields if len(fields) > 1 else [""] * len(fields)
    return tuple(side(field, str(old), str(new)) for field, old, new in zip(shown, before, after, strict=True))


def command(source: Mapping[str, Any]) -> str:
    """The command that ran a suite without a file, to be given to a shell; empty for a suite with one."""
    given: Mapping[str, Any] = source.get("evaluate") or {}
    parts = [part for option in _EVALUATE if option in given for part in (f"--{option}", one_line(str(given[option])))]
    return shlex.join(["windtunnel", "evaluate", *parts]) if parts else ""


def suite_yaml(source: Mapping[str, Any]) -> str:
    """The suite's file as a person would write it."""
    known = [key for key in _SUITE_ORDER if key in source]
    body = {key: _named_first(source[key]) for key in (*known, *sorted(key for key in source if key not in known))}
    return _written(body, sort_keys=False)


def _written(value: Any, *, sort_keys: bool) -> str:
    """YAML in its own letters, or in escapes where marks would turn the direction of the text around them."""
    text = yaml.dump(value, Dumper=_Dumper, sort_keys=sort_keys, allow_unicode=True, width=100)
    lines = text.splitlines()
    if any(one_line(line) != line for line in lines):
        text = yaml.dump(value, Dumper=_Dumper, sort_keys=sort_keys, allow_unicode=False, width=100)
    return text


def _named_first(value: Any) -> Any:
    """Items of a list with what they use and how they are called in front."""
    if not isinstance(value, list):
        return value
    return [
        {key: item[key] for key in sorted(item, key=lambda key: (key != "use", key != "name", key))} if isinstance(item, dict) else item
        for item in value
    ]


class _Dumper(yaml.SafeDumper):
    """Blocks outside, one line for each list of plain values, as in a file written by hand."""

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> yaml.SequenceNode:
        """A list in one line if all its items are plain and few."""
        items = list(sequence)
        flat = len(items) <= 6 and all(isinstance(item, str | int | float | bool) for item in items) and sum(len(str(item)) for item in items) < 80
        return super().represent_sequence(tag, items, flow_style=flat)


def plain_yaml(value: Any, *, sort_keys: bool = True) -> str:
    """Arguments as a few lines of YAML."""
    return _written(value, sort_keys=sort_keys).strip() if value else "–"


def models(folder: RunFolder) -> Iterator[dict[str, Any]]:
    """What is known of each model: digest, size and preprocessing of its weights."""
    noted: Mapping[str, Any] = folder.manifest.body.get("model_facts") or {}
    for model in folder.manifest.models:
        records = (folder.finetuning(model, recipe, seed) for recipe in folder.manifest.recipes for seed in folder.manifest.seeds)
        facts = noted.get(model) or next((record.facts for record in records if record is not None and record.facts), {})
        yield {
            "name": model,
            "weights": facts.get("weights_sha256", "unknown"),
            "parameters": facts.get("parameters"),
            "preprocessing": plain_yaml(facts.get("preprocessing")),
        }


def recipes(folder: RunFolder) -> Iterator[dict[str, Any]]:
    """The effective arguments of each recipe, defaults included; once for all conditions it is trained under."""
    noted: Mapping[str, Any] = folder.manifest.body.get("recipe_arguments") or {}
    entries: dict[str, str] = {}
    for entry, recipe in folder.manifest.methods.items():
        entries.setdefault(recipe, entry)
    for recipe, entry in entries.items():
        records = (folder.finetuning(model, entry, seed) for model in folder.manifest.models for seed in folder.manifest.seeds)
        described: Mapping[str, Any] = noted.get(entry) or next(
            (record.content["recipe"] for record in records if record is not None and "recipe" in record.content), {}
        )
        yield {
            "name": recipe,
            "use": described.get("use", ""),
            "version": described.get("version", ""),
            "arguments": plain_yaml(brief(described.get("arguments")), sort_keys=False),
        }


def notes(folder: RunFolder) -> tuple[tuple[Record, str], ...]:
    """What recipes noted of how their victims came about, as a few lines of YAML."""
    noted = [record for record in folder.records if record.facts.get("notes")]
    return tuple((record, plain_yaml(record.facts["notes"])) for record in noted)
