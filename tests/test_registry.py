"""Name tables: lazy, type-checked, helpful about typos, and open to installed packages that cannot shadow what is built in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from windtunnel.builtins import CONDITIONS, DATASETS, METRICS, MODELS, PARTS, RECIPES, SCOPES, THREATS
from windtunnel.errors import UnknownNameError, WindtunnelError, suggest
from windtunnel.registry import Registry
from windtunnel.sets import CORRUPTION_SETS

PLUGIN = Path(__file__).parent / "plugin_package"
TABLES = (MODELS, RECIPES, CONDITIONS, THREATS, DATASETS, METRICS, *PARTS)


def table(**names: str) -> Registry[Any]:
    return Registry("threat", "windtunnel.core.threat:Threat", names)


@pytest.mark.parametrize(("registry", "name"), [pytest.param(each, name, id=f"{each.noun}-{name}") for each in TABLES for name in each])
def test_every_built_in_name_is_loaded_and_knows_its_own_name(registry: Registry[Any], name: str) -> None:
    assert registry.load(name).use == name


def test_sets_of_corruptions_hold_threats_of_that_family() -> None:
    assert {THREATS.load(name).family for names in CORRUPTION_SETS.values() for name in names} == {"corruption"}


def test_an_unknown_name_gets_a_suggestion_and_the_choices() -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown scope 'fulll'\. Did you mean 'full'\? Choose from: .*full.*head"):
        SCOPES.load("fulll")


def test_a_name_like_no_other_gets_the_choices_alone() -> None:
    with pytest.raises(UnknownNameError, match=r"^Unknown threat 'zzz'\. Choose from: a, b\.$"):
        table(b="x:y", a="x:y").load("zzz")


def test_more_than_twenty_choices_are_not_listed() -> None:
    with pytest.raises(UnknownNameError, match=r"^Unknown threat 'zzz'\. $"):
        table(**{f"t{n}": "x:y" for n in range(20)}).load("zzz")


@pytest.mark.parametrize("target", ["no_such_module:X", "windtunnel.errors:NoSuchClass", "windtunnel.no_such_module:X"])
def test_a_name_that_cannot_be_loaded_says_what_it_stands_for(target: str) -> None:
    with pytest.raises(WindtunnelError, match=rf"The threat 'x' is registered as '{target}', which cannot be loaded"):
        table(x=target).load("x")


@pytest.mark.parametrize("target", ["windtunnel.core.metric:Metric", "windtunnel.errors:suggest", "windtunnel.errors:__doc__"])
def test_what_is_not_of_the_noun_is_refused(target: str) -> None:
    with pytest.raises(WindtunnelError, match=rf"The threat 'x' is registered as '{target}', which is not a Threat\."):
        table(x=target).load("x")


def test_nothing_is_imported_before_it_is_asked_for() -> None:
    assert list(table(b="no_such_module:X", a="no_such_module:Y")) == ["a", "b"]
    assert "a" in table(a="no_such_module:Y")
    assert "c" not in table(a="no_such_module:Y")


def test_a_table_cannot_be_changed_after_the_fact() -> None:
    names = {"a": "x:y"}
    registry = Registry("threat", "windtunnel.core.threat:Threat", names)
    names["b"] = "x:y"
    assert list(registry) == ["a"]


LISTING = """
import json
from windtunnel.builtins import MODELS, RECIPES, THREATS
from windtunnel.errors import WindtunnelError

def complaint(name):
    try:
        THREATS.load(name)
    except WindtunnelError as error:
        return str(error)

print(json.dumps({
    "listed": [sorted(each) for each in (THREATS, RECIPES, MODELS)],
    "loaded": [each.load(name).__module__ for each, name in ((THREATS, "dead-pixels"), (RECIPES, "nearest-mean"), (MODELS, "pooling"))],
    "pgd": THREATS.load("pgd").__module__,
    "lost": complaint("lost"),
    "impostor": complaint("impostor"),
}))
"""

SUITE = """
import sys
from pathlib import Path
from windtunnel.catalog import Catalog
from windtunnel.specs import load_suite

Path("suites").mkdir()
Path("benchmarks").mkdir()
Path("suites/mine.yaml").write_text(
    "suite: mine\\nmodels: [pooling/4x4]\\ndata: digits\\nrecipes: [{use: nearest-mean, sharpness: 3}]\\nbenchmarks: [own]\\n"
)
Path("benchmarks/own.yaml").write_text(
    "benchmark: own\\nversion: 1\\ndata: digits[test]\\nthreats: [{use: dead-pixels, shares: [0.25, 1]}]\\n"
    "headline: mean accuracy of dead-pixels at 1/4\\n"
)
suite = load_suite("mine", Catalog())
assert "torch" not in sys.modules
import torch
torch.set_num_threads(1)
from windtunnel.core.recipe import Finetuning
from windtunnel.core.victim import Victim

splits = suite.data.load()
model = suite.models["pooling/4x4"].load()

def features(data):
    from windtunnel.core.network import Network
    with torch.no_grad():
        return Network(model, 10).features(data.batch().inputs)

work = Finetuning(model=model, train=splits["train"], val=splits["val"], seed=0, device=torch.device("cpu"), features=features)
done = suite.recipes["nearest-mean"].finetune(work)
outcome = suite.benchmarks[0].threats["dead-pixels"](Victim.of(done.network), splits["test"].batch())
clean = float((outcome.clean_predicted == outcome.labels).mean())
print(clean > 0.8, outcome.accuracies["1"] < 0.2, clean > outcome.accuracies["1/4"] > outcome.accuracies["1"])
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the plug-in package was really installed, without network."""
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    done = subprocess.run([*command, "--target", str(target), str(PLUGIN)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return target


def run(code: str, site: Path, folder: Path) -> str:
    paths = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    environment = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, cwd=folder, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_an_installed_package_adds_names_and_shadows_none(site: Path, tmp_path: Path) -> None:
    found = json.loads(run(LISTING, site, tmp_path))
    threats, recipes, models = found["listed"]
    assert {"dead-pixels", "lost", "impostor"} <= set(threats)
    assert "nearest-mean" in recipes
    assert "pooling" in models
    assert found["loaded"] == ["windtunnel_plugin.dead_pixels", "windtunnel_plugin.nearest_mean", "windtunnel_plugin.pooling"]
    assert found["pgd"] == "windtunnel.threats.gradient.pgd"


def test_a_broken_name_of_an_installed_package_says_what_is_wrong(site: Path, tmp_path: Path) -> None:
    found = json.loads(run(LISTING, site, tmp_path))
    assert found["lost"].startswith("The threat 'lost' is registered as 'windtunnel_plugin.lost:Lost', which cannot be loaded")
    assert found["impostor"] == "The threat 'impostor' is registered as 'windtunnel_plugin.nearest_mean:NearestMean', which is not a Threat."


def test_without_the_package_its_names_are_unknown() -> None:
    assert "dead-pixels" not in THREATS
    with pytest.raises(UnknownNameError, match="Unknown recipe 'nearest-mean'"):
        RECIPES.load("nearest-mean")


def test_third_party_names_work_in_suites_and_do_their_job(site: Path, tmp_path: Path) -> None:
    assert run(SUITE, site, tmp_path) == "True True True"


@pytest.mark.parametrize(
    ("name", "choices", "meant"),
    [
        ("epsilon", ["eps", "precision", "epochs"], "eps"),
        ("learning", ["learning_rate", "leaning"], "learning_rate"),
        ("gausian-noise", ["gaussian-noise", "gaussian-blur"], "gaussian-noise"),
        ("pg", ["pgd", "apgd"], "pgd"),
    ],
)
def test_a_suggestion_is_what_the_name_abbreviates_or_looks_like(name, choices, meant):
    assert suggest(name, choices).startswith(f"Did you mean {meant!r}?")
