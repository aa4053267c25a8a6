"""Whatever stands in a file, reading it ends in a noun or in problems that lie in it; never in another exception."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from windtunnel.catalog import Catalog
from windtunnel.core import canonical
from windtunnel.core.suite import Benchmark, Suite
from windtunnel.errors import WindtunnelError
from windtunnel.specs import load_benchmark, load_runner, load_suite

WORDS = [
    *("suite", "models", "data", "recipes", "benchmarks", "seeds", "selection", "threads", "samples"),
    *("benchmark", "version", "task", "threats", "metrics", "headline", "seed", "use", "name", "split", "set"),
    *("eps", "norm", "steps", "severities", "lr", "epochs", "path", "runner", "workers", "engine", "cell-minutes"),
    *("digits", "digits[test]", "suite[test]", "folder", "full", "pgd-at", "pgd", "fog", "corruptions", "shift", "common", "clean"),
    *("windtunnel/micro-vit", "timm/x", "./x.pt", "a:b", "own", "8/255", "1e-3", "L2", "accuracy", "clean accuracy", "mean accuracy of fog at 3"),
    *("", "..", "nan", "1e9", "-1"),
]
scalars = st.sampled_from(WORDS) | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=4), inner, max_size=6),
    max_leaves=12,
)
threats = st.lists(
    st.sampled_from(["pgd", "fgsm", "autoattack", "cw", "corruptions", "fog", "shift"])
    | st.fixed_dictionaries(
        {"use": st.sampled_from(["pgd", "fgsm", "autoattack", "corruptions", "fog", "shift"])},
        optional=dict.fromkeys(("eps", "norm", "steps", "severities", "set", "data", "name"), values),
    ),
    max_size=3,
)
benchmarks = st.fixed_dictionaries(
    {"benchmark": st.just("own"), "version": st.just(1), "data": st.just("digits[test]") | values, "threats": threats | values, "headline": scalars},
    optional={"samples": values, "seed": values, "metrics": values, "task": values},
)
recipes = st.lists(
    st.sampled_from(["full", "lp-ft"])
    | st.fixed_dictionaries(
        {"use": st.sampled_from(["full", "lp-ft", "pgd-at", "linear-probe"])},
        optional=dict.fromkeys(("eps", "lr", "epochs", "augment", "patience", "name", "optimizer"), values),
    ),
    max_size=3,
)
suites = st.fixed_dictionaries(
    {
        "suite": st.just("mine"),
        "models": values,
        "data": st.just("digits") | values,
        "recipes": recipes | values,
        "benchmarks": st.just(["own"]) | values,
    },
    optional={"samples": values, "seeds": values, "threads": values, "selection": values},
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("catalogue")
    for name in ("benchmarks", "suites", "runners"):
        (made / name).mkdir()
    text = "benchmark: own\nversion: 1\ndata: digits[test]\nthreats: [pgd]\nheadline: worst-case accuracy of pgd\n"
    (made / "benchmarks" / "own.yaml").write_text(text)
    return made


def survives(load: Callable[..., Any], path: Path, text: str, catalog: Catalog) -> Any:
    path.write_text(text, encoding="utf-8", errors="replace")
    try:
        return load(path, catalog)
    except WindtunnelError as error:
        if getattr(error, "problems", None) == ():
            pytest.fail("an error without a problem helps nobody")
        return None


SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SETTINGS
@given(benchmarks | values)
def test_any_benchmark_is_read_or_refused(folder: Path, content: object) -> None:
    found = survives(load_benchmark, folder / "benchmarks" / "fuzz.yaml", yaml.safe_dump(content, allow_unicode=True), Catalog(folder))
    if isinstance(found, Benchmark):
        canonical.dumps([threat.describe() for threat in found.threats.values()])


@SETTINGS
@given(suites | values)
def test_any_suite_is_read_or_refused(folder: Path, content: object) -> None:
    found = survives(load_suite, folder / "suites" / "fuzz.yaml", yaml.safe_dump(content, allow_unicode=True), Catalog(folder))
    if isinstance(found, Suite):
        canonical.dumps([recipe.describe() for recipe in found.recipes.values()])
        canonical.dumps(found.source)


@SETTINGS
@given(st.text(alphabet="suitebenchmark:[]{}&*!|>'\"%@`,-? \n\t01#~<") | st.text())
def test_any_text_is_read_or_refused_as_every_kind(folder: Path, text: str) -> None:
    text = text.replace("\r", os.linesep)
    for load, kind in ((load_suite, "suites"), (load_benchmark, "benchmarks"), (load_runner, "runners")):
        survives(load, folder / kind / "fuzz.yaml", text, Catalog(folder))


@SETTINGS
@given(st.data())
def test_a_valid_suite_with_some_characters_changed_is_read_or_refused(folder: Path, data: st.DataObject) -> None:
    text = "suite: mine\nmodels: [windtunnel/micro-resnet]\ndata: digits\nrecipes:\n  - {use: full, epochs: 3}\nbenchmarks: [own]\nseeds: [0]\n"
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(text) - 1))
        text = text[:place] + data.draw(st.characters(codec="utf-8")) + text[place + data.draw(st.integers(0, 4)) :]
    survives(load_suite, folder / "suites" / "fuzz.yaml", text, Catalog(folder))
