"""Every file that ships can be read, quickly and without torch."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from windtunnel.catalog import KINDS, Catalog
from windtunnel.specs import load_benchmark, load_preset, load_runner, load_suite

ROOT = Path(__file__).parents[2]
LOADERS = {"benchmarks": load_benchmark, "suites": load_suite, "recipes": load_preset, "runners": load_runner}
FILES = [(kind, path.stem) for kind in KINDS for path in sorted((ROOT / kind).glob("*.yaml"))]


@pytest.mark.parametrize(("kind", "name"), FILES)
def test_every_shipped_file_is_read_and_called_like_its_file(kind: str, name: str) -> None:
    assert LOADERS[kind](name, Catalog(ROOT)).name == name


def test_there_is_something_of_every_kind() -> None:
    assert {kind for kind, _ in FILES} == set(KINDS)


def test_the_quickstart_crosses_two_models_five_recipes_and_two_seeds() -> None:
    suite = load_suite("quickstart", Catalog(ROOT))
    assert list(suite.recipes) == ["linear-probe", "full", "lp-ft", "full-augmix", "pgd-at"]
    assert (len(suite.models), len(suite.seeds)) == (2, 2)
    assert suite.selection == "id-val"


def test_the_quickstart_of_texts_needs_nothing_that_is_not_installed_with_the_package() -> None:
    suite = load_suite("quickstart-text", Catalog(ROOT))
    threats = {name: threat.use for benchmark in suite.benchmarks for name, threat in benchmark.threats.items()}
    assert set(threats) >= {"product", "tweet", "editorial", "keyboard-typos", "textattack/deepwordbug"}
    for benchmark in suite.benchmarks:
        for threat in benchmark.threats.values():
            threat.require()


def test_the_standard_benchmark_is_ranked_by_autoattack_as_published() -> None:
    benchmark = load_benchmark("digits-standard", Catalog(ROOT))
    assert (benchmark.headline.how, benchmark.headline.threat, benchmark.headline.level) == ("worst-case", "autoattack", Fraction(16, 255))


def test_reading_every_file_imports_neither_torch_nor_its_friends() -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from windtunnel.catalog import Catalog\n"
        "from windtunnel.specs import load_benchmark, load_preset, load_runner, load_suite\n"
        f"found = Catalog({str(ROOT)!r})\n"
        "for kind, load in (('suites', load_suite), ('benchmarks', load_benchmark), ('recipes', load_preset), ('runners', load_runner)):\n"
        "    for name in found.names(kind):\n"
        "        load(name, found)\n"
        "print(sorted({'torch', 'torchvision', 'timm', 'transformers', 'datasets', 'sklearn', 'PIL', 'pandas', 'scipy'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stderr == ""
    assert done.stdout == "[]\n"


def test_the_readme_of_the_benchmarks_names_every_benchmark_and_every_key() -> None:
    from windtunnel.specs.benchmark import KEYS

    text = (ROOT / "benchmarks" / "README.md").read_text()
    assert [f"{name}.yaml" for kind, name in FILES if kind == "benchmarks" and f"`{name}.yaml`" not in text] == []
    assert [key for key in KEYS if f"| `{key}` |" not in text] == []
    assert "threat sets, not speed tests" in text.splitlines()[0]
