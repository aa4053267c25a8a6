"""Write docs/reference.md from the registries, the command line and the docstrings: `python tools/reference.py`."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import typer
import yaml

from windtunnel.builtins import CONDITIONS, DATASETS, METRICS, MODELS, PARTS, RECIPES, THREATS
from windtunnel.cli.commands import app
from windtunnel.core.canonical import plain
from windtunnel.core.configured import brief
from windtunnel.registry import Registry
from windtunnel.sets import SETS
from windtunnel.specs import benchmark, runner, suite

PAGE = Path(__file__).parents[1] / "docs" / "reference.md"

INTRODUCTION = """\
# Reference

This page is written by `python tools/reference.py` from the code; a test holds it to that. Do not edit it by hand.
`windtunnel show NAME` tells the same of one name.
"""

SUITE = {
    "suite": ("its name: letters, digits, `.`, `_`, `-`", "required"),
    "models": ("a list of model names, or `{use: ..., name: ..., ...arguments}`", "required"),
    "data": ("what is fine-tuned on: a data set's name, or `{use: ..., ...arguments}`", "required"),
    "recipes": (
        "a list of recipe names, or `{use: ..., name: ..., ...arguments}`; `each: {alpha: [0, 0.5, 1]}` beside them makes a recipe "
        "of each value, or of each combination where there are several lists",
        "required",
    ),
    "conditions": (
        "a list of training conditions: names, or `{use: ..., name: ..., ...arguments}`; every recipe that trains is trained under each",
        "the data as it is",
    ),
    "benchmarks": ("a list of benchmarks: names in the catalogue, or paths beside the suite", "required"),
    "seeds": ("training seeds; every recipe is trained once for each", "`[0]`"),
    "selection": ("`id-val` chooses checkpoints on the validation split; `oracle` on the test split, for comparison only", "`id-val`"),
    "threads": ("CPU threads of one cell; part of every key", "`1`"),
    "samples": ("size of a stratified subset of the training split", "all of it"),
    "val_samples": ("size of a stratified subset of the split that recipes select on, which is looked at after every epoch", "all of it"),
    "normaliser": (
        "what corruption errors (mCE) and flip rates (mFR) are divided by: `alexnet` (mCE only), or `MODEL + RECIPE` of the suite",
        "neither",
    ),
}
BENCHMARK = {
    "benchmark": ("its name: letters, digits, `.`, `_`, `-`", "required"),
    "version": ("a whole number, raised whenever a change in the file changes a number", "required"),
    "task": ("`image-classification` or `text-classification`", "`image-classification`"),
    "data": ("one split: `digits[test]`, `suite[test]` for the suite's own data, or `{use: ..., split: ..., ...arguments}`", "required"),
    "samples": ("size of a stratified, seeded subset", "the whole split"),
    "seed": ("keys the subset and every draw of the threats", "`0`"),
    "threats": ("a list of threat names, or `{use: ..., name: ..., ...arguments}`; the clean evaluation is always added", "required"),
    "metrics": ("names of metrics, shown for the clean samples", "`[accuracy]`"),
    "headline": ("the sentence that says what victims are ranked by", "required"),
}
RUNNER = {
    "runner": ("its name: letters, digits, `.`, `_`, `-`", "required"),
    "engine": ("`local`: worker processes on this machine; the only one so far", "`local`"),
    "workers": ("worker processes; 0 for one for each GPU, or without any as many as the cores suffice for (cores divided by `threads`)", "`0`"),
    "device": ("`auto`, `cpu`, `cuda` or `mps`", "`auto`"),
    "cell-minutes": ("a cell that takes longer is stopped and recorded as failed", "no limit"),
    "memory-gb": ("a worker that grows beyond this fails its cell", "no limit"),
}


RECIPE_NOTE = """\
Most recipes are presets, files in `recipes/`: [the pages of the recipes](recipes.md) list them. These are the classes that they are made with;
`finetune` is composed of the parts below."""


def reference() -> str:
    """The whole page."""
    parts = [
        INTRODUCTION,
        _commands(),
        "## Files\n",
        _keys("A suite", "suites", SUITE, suite.KEYS),
        _keys("A benchmark", "benchmarks", BENCHMARK, benchmark.KEYS),
        _keys("A runner", "runners", RUNNER, runner.KEYS),
        _table("Models", "A model is named `family/name`; a path is `local`, `module:attribute` is `python`.", MODELS),
        _table("Recipes", RECIPE_NOTE, RECIPES),
        *(_table(table.plural.capitalize(), "", table) for table in PARTS),
        _table("Conditions", "Ways in which training data may be bad ([conditions](conditions.md)); `clean` is the data as it is.", CONDITIONS),
        _table("Threats", " ".join(map(_sets, SETS)), THREATS),
        _table("Data sets", "", DATASETS),
        _table("Metrics", "", METRICS),
    ]
    return "\n".join(part for part in parts if part).rstrip() + "\n"


def _sets(word: str) -> str:
    sets = "; ".join(f"`{name}` is {', '.join(f'`{member}`' for member in members)}" for name, members in SETS[word].items())
    return f"`{{use: {word}, set: NAME}}` stands for a set of {word}: {sets}."


def _commands() -> str:
    lines = ["## Commands\n"]
    command: Any = typer.main.get_command(app)
    for name, each in command.commands.items():
        words = [f"[{p.name.upper()}]" if not p.required else p.name.upper() for p in each.params if p.param_type_name == "argument"]
        lines += [f"### `windtunnel {' '.join([name, *words])}`\n", f"{_one_line(each.help)}\n"]
        rows = []
        for parameter in each.params:
            option = parameter.param_type_name == "option"
            shown = ", ".join(f"`{text}`" for text in parameter.opts) if option else f"`{parameter.name.upper()}`"
            rows.append((shown, parameter.help, _option_default(parameter)))
        lines += _rows(("argument or option", "is", "default"), rows)
    return "\n".join(lines)


def _option_default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    if parameter.default in (None, ""):
        return ""
    return "off" if parameter.default is False else f"`{parameter.default}`"


def _keys(title: str, folder: str, described: Mapping[str, tuple[str, str]], known: Iterable[str]) -> str:
    if set(described) != set(known):
        raise SystemExit(f"{title}: the code has the keys {sorted(known)}, this script describes {sorted(described)}.")
    rows = [(f"`{key}`", *described[key]) for key in known]
    return "\n".join([f"### {title} (`{folder}/NAME.yaml`)\n", *_rows(("key", "is", "if left out"), rows)])


def _table(title: str, note: str, registry: Registry[Any]) -> str:
    lines = [f"## {title}\n", *([f"{note}\n"] if note else [])]
    # Third-party names that happen to be installed are not ours to document.
    names = [name for name, target in registry.targets().items() if target.startswith("windtunnel.")]
    for name in names:
        kind = registry.load(name)
        lines += [f"### `{name}`\n", f"{_summary(kind)}\n"]
        meanings = _meanings(kind)
        rows = [(f"`{field.name}`", meanings.get(field.name, ""), default(field)) for field in dataclasses.fields(kind)]
        lines += _rows(("argument", "is", "default"), rows) if rows else []
        deviations = [text for label, text in _sections(kind) if label in ("Deviation", "Deviations")]
        lines += [f"Deviation: {text}\n" for text in deviations]
    return "\n".join(lines)


def default(field: dataclasses.Field[Any]) -> str:
    """The default of an argument as a file would write it."""
    value = field.default
    value = getattr(value, "default", value)  # pydantic's Field
    if value is dataclasses.MISSING or repr(value) == "PydanticUndefined":
        if field.default_factory is dataclasses.MISSING:
            return "required"
        value = field.default_factory()
    text = yaml.safe_dump(brief(plain(value)), default_flow_style=True, width=1000).strip().removesuffix("...").strip()
    return f"`{text}`"


def _summary(kind: type) -> str:
    """The first paragraphs of a docstring, before its sections."""
    text = inspect.getdoc(kind) or ""
    head = re.split(r"^(?:Args|Shapes|Raises|Source|Deviations?):", text, maxsplit=1, flags=re.MULTILINE)[0]
    return "\n\n".join(_one_line(paragraph) for paragraph in head.strip().split("\n\n"))


def _sections(kind: type) -> list[tuple[str, str]]:
    text = inspect.getdoc(kind) or ""
    found = re.findall(r"^(Source|Deviations?):(.*(?:\n(?: .*|$))*)", text, flags=re.MULTILINE)
    return [(label, _one_line(body)) for label, body in found]


def _meanings(kind: type) -> dict[str, str]:
    """What each argument is, from the docstrings of the class and its bases, the class's own words first."""
    found: dict[str, str] = {}
    for each in kind.__mro__:
        text = inspect.cleandoc(each.__doc__ or "")
        block = re.search(r"^Args:\n((?:(?: .*)?\n?)*)", text, flags=re.MULTILINE)
        for names, meaning in re.findall(r"^    ([\w, ]+): (.*(?:\n {8,}.*)*)", block[1] if block else "", flags=re.MULTILINE):
            for name in names.split(", "):
                found.setdefault(name, _one_line(meaning))
    return found


def _rows(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    heads = list(titles)
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return [*lines, ""]


def _one_line(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    PAGE.write_text(reference())
    print(f"wrote {PAGE}")
