"""A synthetic run's folder, realistic in shape and size: no torch, seconds to write, every number known beforehand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from support.glyphs import glyph, png

from windtunnel.core import canonical
from windtunnel.core.cell import KEY_VERSION, Labels
from windtunnel.core.outcome import wilson
from windtunnel.core.record import Record, sort_key
from windtunnel.seeding import generator

CLASSES = tuple(str(digit) for digit in range(10))

# Easiness of each recipe in standard deviations: clean, and how much an attack and a corruption take away.
RECIPES = {
    "linear-probe": (1.2, 2.6, 1.3),
    "full": (2.4, 3.1, 1.2),
    "lp-ft": (2.5, 2.9, 1.0),
    "full-augmix": (2.3, 2.3, 0.6),
    "pgd-at": (1.9, 0.9, 0.8),
}
MODELS = ("windtunnel/micro-resnet", "windtunnel/micro-vit")

BENCHMARKS: tuple[dict[str, Any], ...] = (
    {
        "name": "digits-linf",
        "version": 1,
        "data": "digits[test]",
        "seed": 0,
        "metrics": ["accuracy", "macro-f1", "ece"],
        "headline": {"how": "worst-case", "threat": "apgd", "level": "8/255", "text": "worst-case accuracy of apgd at 8/255"},
        "threats": [
            {"name": "fgsm", "use": "fgsm", "family": "attack", "levels": ["2/255", "4/255", "8/255"], "norm": "Linf"},
            {"name": "apgd", "use": "apgd", "family": "attack", "levels": ["2/255", "4/255", "8/255"], "norm": "Linf"},
            {"name": "mnist5k", "use": "shift", "family": "shift", "levels": ["1"], "norm": None},
        ],
    },
    {
        "name": "digits-corruptions",
        "version": 1,
        "data": "digits[test]",
        "seed": 0,
        "metrics": ["accuracy"],
        "headline": {"how": "mean", "threat": "corruption", "level": None, "text": "mean accuracy under corruption"},
        "threats": [
            {"name": name, "use": name, "family": "corruption", "levels": ["1", "3", "5"], "norm": None}
            for name in ("gaussian-noise", "defocus-blur", "fog", "contrast", "pixelate", "jpeg")
        ],
    },
)


@dataclass(frozen=True)
class Plot:
    """What a synthetic run is like.

    Args:
        models, recipes, seeds: what is crossed; recipes not in RECIPES behave like "full".
        samples: per benchmark.
        benchmarks: as in a manifest, without "samples".
        fail: (model, recipe, seed, benchmark, threat) of cells that fail; benchmark and threat "" fail the fine-tuning.
        drop: added to the easiness of a recipe.
        name: of the suite.
        error: what failed cells say.
        key: makes another, independent run of the same suite.
    """

    models: Sequence[str] = MODELS
    recipes: Sequence[str] = tuple(RECIPES)
    seeds: Sequence[int] = (0, 1)
    samples: int = 200
    benchmarks: Sequence[Mapping[str, Any]] = BENCHMARKS
    fail: Iterable[tuple[str, str, int, str, str]] = ()
    drop: Mapping[str, float] = field(default_factory=dict)
    name: str = "quickstart"
    error: str = "VictimError: victim answered with NaN or infinite logits"
    key: str = "synthetic"


def write_run(folder: Path, plot: Plot = Plot()) -> Path:
    """Write records.jsonl, outcomes.parquet and manifest.json into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    records: list[Record] = []
    rows: dict[str, list[Any]] = {name: [] for name in ("key", "level", "sample", "label", "predicted", "confidence", "distance")}
    for model in plot.models:
        for recipe in plot.recipes:
            for seed in plot.seeds:
                records += _victim(plot, model, recipe, seed, rows)
    records.sort(key=sort_key)
    lines = "".join(canonical.dumps(record.as_dict()) + "\n" for record in records)
    (folder / "records.jsonl").write_text(lines)
    columns = {name: np.concatenate(parts) if parts else np.zeros(0) for name, parts in rows.items()}
    texts = {name: pa.array(columns[name].tolist(), pa.string()) for name in ("key", "level", "sample")}
    kinds = {"label": np.int32, "predicted": np.int32, "confidence": np.float32, "distance": np.float32}
    table = pa.table({**texts, **{name: pa.array(columns[name].astype(kind)) for name, kind in kinds.items()}})
    pq.write_table(table, folder / "outcomes.parquet", compression="zstd")
    (folder / "manifest.json").write_text(json.dumps(_manifest(plot, records), indent=1, sort_keys=True) + "\n")
    return folder


def _victim(plot: Plot, model: str, recipe: str, seed: int, rows: dict[str, list[Any]]) -> list[Record]:
    fail = set(plot.fail)
    labels = Labels(model, recipe, seed)
    content = {
        "model": {"weights": canonical.sha256(model)},
        "recipe": {"use": recipe, "version": 1, "arguments": {"epochs": 8, "lr": 0.001}},
        "plot": plot.key,
    }
    content["seed"] = seed
    key = digest("finetune", content)
    if (model, recipe, seed, "", "") in fail:
        found = [Record(key, "finetune", "failed", labels, content, error=plot.error)]
        for benchmark, threat in _threats(plot):
            places = Labels(model, recipe, seed, benchmark["name"], threat["name"], threat["family"])
            found.append(Record("", "evaluate", "failed", places, {}, error="Its fine-tuning failed."))
        return found
    facts = {
        "best_epoch": 5,
        "parameters": 77_000,
        "weights_sha256": canonical.sha256(model),
        "preprocessing": {"size": [1, 28, 28], "mean": [0.13], "std": [0.31], "interpolation": "bilinear"},
    }
    found = [Record(key, "finetune", "done", labels, content, curves=tuple(_curves(recipe, key)), facts=facts)]
    for benchmark, threat in _threats(plot):
        found.append(_cell(plot, benchmark, threat, labels, key, rows, fail))
    return found


def _threats(plot: Plot) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    clean = {"name": "clean", "use": "clean", "family": "clean", "levels": ["0"], "norm": None}
    return [(benchmark, threat) for benchmark in plot.benchmarks for threat in (clean, *benchmark["threats"])]


def _cell(
    plot: Plot, benchmark: Mapping[str, Any], threat: Mapping[str, Any], victim: Labels, victim_key: str, rows: dict[str, list[Any]], fail: set[Any]
) -> Record:
    labels = Labels(victim.model, victim.recipe, victim.seed, benchmark["name"], threat["name"], threat["family"])
    content = {"victim": victim_key, "threat": {"use": threat["use"], "version": 1, "arguments": {"steps": 50}}}
    content |= {"seed": benchmark["seed"], "data": benchmark["data"], "samples": plot.samples}
    key = digest("evaluate", content)
    if (victim.model, victim.recipe, victim.seed, benchmark["name"], threat["name"]) in fail:
        return Record(key, "evaluate", "failed", labels, content, error=plot.error)
    truth, predicted, confidence = _answers(plot, benchmark, threat, victim, key)
    ids = np.array([f"{'mnist5k' if threat['family'] == 'shift' else 'digits'}-{index:05d}" for index in range(plot.samples)])
    for level, answer, sure in zip(threat["levels"], predicted, confidence, strict=True):
        size = 0.0 if threat["family"] == "clean" else number(level)
        for name, column in (("key", [key]), ("level", [level]), ("distance", [size])):
            rows[name].append(np.repeat(column, plot.samples))
        for name, values in (("sample", ids), ("label", truth), ("predicted", answer), ("confidence", sure)):
            rows[name].append(values)
    estimates = {
        level: {"accuracy": wilson(int((answer == truth).sum()), plot.samples).as_dict()}
        for level, answer in zip(threat["levels"], predicted, strict=True)
    }
    flags: tuple[dict[str, str], ...] = ()
    if threat["name"] == "fgsm" and victim.recipe == "full-augmix":
        flags = ({"name": "larger-budget-does-not-help", "message": "Accuracy stays at 41.0% from the smallest to the largest budget."},)
    examples = () if threat["family"] == "clean" else tuple(_examples(threat, ids, truth, predicted, key))
    cost = {"forward": 1000, "backward": 500, "queries": 0}
    return Record(key, "evaluate", "done", labels, content, tuple(threat["levels"]), estimates, flags=flags, examples=examples, cost=cost)


def digest(kind: str, content: Mapping[str, Any]) -> str:
    """A cell's key, made as cells make theirs: the clean cells of two benchmarks on the same samples share one."""
    return canonical.sha256({"key_version": KEY_VERSION, "kind": kind, **content})


def number(text: str) -> float:
    """A level's text as a number."""
    top, _, bottom = text.partition("/")
    return float(top) / float(bottom or 1)


def _answers(plot: Plot, benchmark: Mapping[str, Any], threat: Mapping[str, Any], victim: Labels, key: str) -> tuple[Any, Any, Any]:
    """A latent-trait model: samples differ in difficulty, and the same are hard for everybody."""
    clean, attack, corruption = RECIPES.get(victim.recipe, RECIPES["full"])
    base = clean - plot.drop.get(victim.recipe, 0.0) - 0.4 * plot.models.index(victim.model)
    shared = generator("difficulty", benchmark["data"], threat["family"] == "shift")
    difficulty, truth = shared.standard_normal(plot.samples), shared.integers(0, 10, plot.samples)
    own = generator("victim", key).standard_normal(plot.samples) * 0.5
    wobble = 0.12 * float(generator("seed", victim.model, victim.recipe, victim.seed, plot.key).standard_normal())
    predicted, confidence = [], []
    for level in threat["levels"]:
        size = number(level)
        loss = {"attack": attack * size * 32, "corruption": corruption * size / 3, "shift": 1.6, "clean": 0.0}[threat["family"]]
        loss *= 0.8 if threat["name"] == "fgsm" else 1.0
        margin = base + wobble - loss - difficulty + own
        wrong = (truth + 1 + (np.arange(plot.samples) % 9)) % 10
        predicted.append(np.where(margin > 0, truth, wrong))
        confidence.append(1 / (1 + np.exp(-np.abs(margin))) * 0.9 + 0.1 * 0.9)
    return truth, predicted, confidence


def _curves(recipe: str, key: str) -> Iterable[dict[str, Any]]:
    noise = generator("curves", key)
    stages = [("probe", 4), ("full", 6)] if recipe == "lp-ft" else [("full", 8)]
    step = 0
    for stage, epochs in stages:
        for epoch in range(1, epochs + 1):
            step += 1
            good = 1 - 0.8 * 0.6**step
            robust = max(0.1, 0.7 * good - 0.02 * max(0, step - 5) + 0.01 * noise.standard_normal()) if recipe == "pgd-at" else None
            yield {
                "stage": stage,
                "epoch": epoch,
                "train_loss": 2.2 * 0.7**step + 0.02 * abs(noise.standard_normal()),
                "val_accuracy": min(1.0, good + 0.01 * noise.standard_normal()),
                "val_robust_accuracy": robust,
            }


def _examples(threat: Mapping[str, Any], ids: Any, truth: Any, predicted: Any, key: str) -> Iterable[dict[str, Any]]:
    level = threat["levels"][-1]
    for row in range(4):
        image = glyph(int(truth[row]))
        noise = generator("example", key, row).normal(0, 0.12, image.shape)
        changed = np.clip(image + noise, 0, 1)
        yield {
            "id": str(ids[row]),
            "level": level,
            "label": int(truth[row]),
            "before": int(truth[row]),
            "after": int(predicted[-1][row]),
            "images": [png(image), png(changed)],
        }


def _manifest(plot: Plot, records: list[Record]) -> dict[str, Any]:
    weights = {name: canonical.sha256(name) for name in plot.models}
    size = {"size": [1, 28, 28], "mean": [0.13], "std": [0.31], "interpolation": "bilinear"}
    return {
        "schema": 1,
        "suite": plot.name,
        "created": "2026-11-22T21:40:07+00:00",
        "provenance": {
            "windtunnel": "0.1.0",
            "python": "3.11.9",
            "platform": "Linux x86_64",
            "processor": "AMD EPYC 7B13 (2 cores)",
            "libraries": {"numpy": "2.3.1", "timm": "1.0.31", "torch": "2.14.0", "torchattacks": "3.5.1"},
            "git": "1140d8b3c5a9c1e1f0a4f2d3b4c5d6e7f8091a2b",
        },
        "source": {
            "suite": plot.name,
            "models": list(plot.models),
            "data": "digits",
            "recipes": [name if name in ("linear-probe", "full", "lp-ft") else {"use": "full", "name": name} for name in plot.recipes],
            "benchmarks": [benchmark["name"] for benchmark in plot.benchmarks],
            "seeds": list(plot.seeds),
            "selection": "id-val",
        },
        "models": list(plot.models),
        "recipes": list(plot.recipes),
        "recipe_arguments": {
            name: {"use": name, "version": 1, "arguments": {"epochs": 8, "lr": 0.001, "label_smoothing": 0.0}} for name in plot.recipes
        },
        "model_facts": {
            name: {"weights_sha256": weights[name], "features": 128, "parameters": 77_000, "preprocessing": size} for name in plot.models
        },
        "seeds": list(plot.seeds),
        "selection": "id-val",
        "threads": 1,
        "data": {
            "name": "digits",
            "fingerprint": canonical.sha256("digits"),
            "classes": list(CLASSES),
            "sizes": {"train": 1077, "val": 360, "test": 360},
            "audit": {"found": 1797, "duplicates": [], "conflicts": [], "constant": [], "missing": [], "balance": dict.fromkeys(CLASSES, 179)},
        },
        "benchmarks": [{**benchmark, "samples": plot.samples} for benchmark in plot.benchmarks],
        "wall_seconds": 171.25,
        "seconds": {record.key: 1.5 for record in records if record.key},
        "cells": [{"key": record.key, "kind": record.kind, "labels": dict(vars(record.labels))} for record in records],
    }
