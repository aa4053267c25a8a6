"""The documents are held true: every name is in them, every link leads somewhere, every snippet works."""

from __future__ import annotations

import dataclasses
import importlib.util
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
import typer
import yaml

from windtunnel.builtins import CONDITIONS, DATASETS, METRICS, MODELS, PARTS, RECIPES, THREATS
from windtunnel.catalog import Catalog
from windtunnel.cli.commands import app
from windtunnel.specs import benchmark, load_benchmark, load_preset, load_runner, load_suite, runner, suite
from windtunnel.threats.text.perturb import perturbation_names

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
README, REFERENCE = ROOT / "README.md", ROOT / "docs" / "reference.md"
PACKAGE = "my_threats"
TITLES = {"model": "Models", "recipe": "Recipes", "condition": "Conditions", "threat": "Threats", "dataset": "Data sets", "metric": "Metrics"}
TITLES |= {table.noun: table.plural.capitalize() for table in PARTS}

BASE_SUITE = {"suite": "snippet", "models": ["windtunnel/micro-resnet"], "data": "digits", "recipes": ["full"], "benchmarks": ["digits-linf"]}
BASE_BENCHMARK = {"benchmark": "snippet", "version": 1, "data": "digits[test]", "headline": "clean accuracy"}


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    file: str
    runs: bool
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for found in re.finditer(r"(<!-- runs -->\n)?```(\w+)(?: file=(\S+))?\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE):
        line = text.count("\n", 0, found.start(2)) + 1
        yield Block(page, line, found[2], found[3] or "", bool(found[1]), found[4])


BLOCKS = [block for page in PAGES for block in blocks(page)]
RUNNABLE = [block for block in BLOCKS if block.runs]
FILES = [block for block in BLOCKS if block.file]


def of(language: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == language]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package that docs/extend.md writes, as an installation leaves it."""
    for block in FILES:
        path = tmp_path / "site" / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)
    (tmp_path / "site" / PACKAGE / "__init__.py").touch()
    groups: dict[str, dict[str, str]] = {}
    for block in of("toml"):
        for group, names in tomllib.loads(block.text)["project"]["entry-points"].items():
            groups.setdefault(group, {}).update(names)
    metadata = tmp_path / "site" / "my_threats-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: my-threats\nVersion: 1.0\n")
    points = "\n".join(f"[{group}]\n" + "\n".join(f"{name} = {target}" for name, target in names.items()) for group, names in groups.items())
    (metadata / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(tmp_path / "site")
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def script(name: str) -> ModuleType:
    found = importlib.util.spec_from_file_location(f"{name}_script", ROOT / "tools" / f"{name}.py")
    assert found
    assert found.loader
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module  # dataclasses look their module up there
    found.loader.exec_module(module)
    return module


def test_the_committed_reference_is_what_the_script_writes() -> None:
    assert script("reference").reference() == REFERENCE.read_text(), "run: python tools/reference.py"


def test_the_pages_of_the_recipes_are_what_the_script_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "tools")
    wanted = script("recipes").pages()
    assert {path: path.read_text() for path in wanted if path.exists()} == wanted, "run: python tools/recipes.py"
    assert {path for path in wanted if path.parent.name == "recipes"} == set((ROOT / "docs" / "recipes").glob("*.md"))


def test_the_page_of_evidence_is_what_the_published_reports_say() -> None:
    assert script("evidence").evidence() == (ROOT / "docs" / "evidence.md").read_text(), "run: python tools/evidence.py"


def test_the_table_of_perturbations_shows_what_the_code_makes() -> None:
    found = script("perturbations")
    assert found.page() == found.PAGE.read_text(), "run: python tools/perturbations.py"
    rows = re.findall(r"^\| `([a-z-]+)` \| \S.* \| \S.* \| (\S.*) \|$", found.table(), flags=re.MULTILINE)
    assert [name for name, _ in rows] == list(perturbation_names())
    assert all(after != found.SENTENCE for _, after in rows)


@pytest.mark.parametrize("registry", [MODELS, RECIPES, CONDITIONS, THREATS, DATASETS, METRICS, *PARTS], ids=lambda registry: registry.noun)
def test_every_registered_name_is_in_the_reference_with_every_argument_explained(registry) -> None:
    text = REFERENCE.read_text()
    ours = [name for name, target in registry.targets().items() if target.startswith("windtunnel.")]
    assert ours
    for name in ours:
        assert f"### `{name}`\n" in text
        section = text.partition(f"## {TITLES[registry.noun]}\n")[2].partition(f"### `{name}`\n")[2].partition("\n#")[0]
        for field in dataclasses.fields(registry.load(name)):
            assert re.search(rf"^\| `{field.name}` \| \S.* \| \S+.* \|$", section, flags=re.MULTILINE), (name, field.name)


def test_every_condition_has_a_row_with_all_its_own_arguments() -> None:
    text = (ROOT / "docs" / "conditions.md").read_text()
    for name, target in CONDITIONS.targets().items():
        if target.startswith("windtunnel."):
            row = re.search(rf"^\| `{name}` \|.*$", text, flags=re.MULTILINE)
            assert row, name
            own = {field.name for field in dataclasses.fields(CONDITIONS.load(name))} - {"validation"}
            assert {argument for argument in own if f"`{argument}`" not in row[0]} == set(), name


def test_every_command_and_option_is_in_the_reference() -> None:
    text = REFERENCE.read_text()
    for name, command in typer.main.get_command(app).commands.items():
        section = text.partition(f"### `windtunnel {name}")[2].partition("### `windtunnel")[0]
        assert section, name
        for parameter in command.params:
            words = parameter.opts if parameter.param_type_name == "option" else [parameter.name.upper()]
            assert all(f"`{word}`" in section for word in words), (name, words)


@pytest.mark.parametrize(("noun", "keys"), [("suite", suite.KEYS), ("benchmark", benchmark.KEYS), ("runner", runner.KEYS)])
def test_every_key_of_a_file_is_in_the_reference(noun: str, keys: tuple[str, ...]) -> None:
    section = REFERENCE.read_text().partition(f"### A {noun} ")[2].partition("\n#")[0]
    assert [key for key in keys if f"\n| `{key}` |" not in section] == []


def test_every_flag_is_explained_and_no_other() -> None:
    source = "\n".join(path.read_text() for path in sorted((ROOT / "src").rglob("*.py")))
    raised = set(re.findall(r"\bFlag\(\s*\"([a-z-]+)\"", source))
    table = (ROOT / "docs" / "concepts.md").read_text().partition("## Flags")[2].partition("\n## ")[0]
    assert len(raised) > 5
    assert set(re.findall(r"^\| `([a-z-]+)` \|", table, flags=re.MULTILINE)) == raised


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    broken = []
    for link in (link for link in links if not re.match(r"[a-z]+:", link)):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_holds_a_path_of_some_machine(page: Path) -> None:
    assert re.findall(r"(?<![\w.~])/(?:home|root|Users|work|tmp|opt|mnt)/\S*|\b[A-Z]:\\\S+", page.read_text()) == []


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    for page in PAGES:
        code = re.findall(r"`make ([a-z-]+)`|^make ([a-z-]+)", page.read_text(), flags=re.MULTILINE)
        assert {one or other for one, other in code} <= targets, page


def test_the_leaderboard_excerpt_is_made_of_lines_of_the_published_one() -> None:
    published = ROOT / "reports" / "digits-standard" / "leaderboard.md"
    excerpt = README.read_text().partition("<!-- leaderboard -->")[2].partition("<!-- /leaderboard -->")[0]
    rows = [line for line in excerpt.splitlines() if line.startswith("|")]
    if not published.exists():
        assert rows == [], "numbers without the records behind them"
        return
    assert len(rows) > 3
    assert [row for row in rows if row not in published.read_text().splitlines()] == []


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize("block", of("yaml"), ids=str)
def test_every_yaml_snippet_is_valid(block: Block, tmp_path: Path) -> None:
    content = yaml.safe_load(block.text)
    if "jobs" in content:
        assert all({"uses", "run"} & set(step) for job in content["jobs"].values() for step in job["steps"])
        return
    if set(content) <= set(benchmark.KEYS) and {"benchmark", "threats"} & set(content):
        missing = {key: value for key, value in BASE_BENCHMARK.items() if key not in content}
        load_benchmark(completed(block, missing, tmp_path / "benchmarks"), Catalog())
    elif "recipe" in content:
        load_preset(completed(block, {}, tmp_path / "recipes"), Catalog())
    elif "runner" in content:
        load_runner(completed(block, {}, tmp_path / "runners"), Catalog())
    else:
        (tmp_path / "benchmarks").mkdir()
        for other in (each for each in of("yaml") if each.text.startswith("benchmark:")):
            completed(other, {}, tmp_path / "benchmarks")
        missing = {key: value for key, value in BASE_SUITE.items() if key not in content}
        load_suite(completed(block, missing, tmp_path / "suites"), Catalog(tmp_path))


def completed(block: Block, missing: dict[str, object], folder: Path) -> Path:
    """The snippet as a file, with the keys that a whole file must have besides."""
    folder.mkdir(exist_ok=True)
    name = block.text.splitlines()[0].partition(": ")[2] if not missing else "snippet"
    path = folder / f"{name}.yaml"
    path.write_text((yaml.safe_dump(missing, sort_keys=False) if missing else "") + block.text)
    return path


@pytest.mark.parametrize("block", of("python"), ids=str)
def test_every_python_snippet_compiles_and_is_run_somewhere(block: Block) -> None:
    compile(block.text, str(block), "exec")
    assert block.runs or block.file


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize("block", RUNNABLE, ids=str)
def test_every_runnable_snippet_runs(block: Block) -> None:
    exec(compile(block.text, str(block), "exec"), {"__name__": "snippet"})


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize("block", FILES, ids=str)
def test_every_module_of_the_pages_loads_no_torch(block: Block, tmp_path: Path) -> None:
    module = block.file.removesuffix(".py").replace("/", ".")
    code = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); import {module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def commands(page: Path) -> list[list[str]]:
    lines = [line for block in blocks(page) if block.language == "sh" for line in block.text.splitlines()]
    return [shlex.split(line, comments=True) for line in lines]


def test_every_command_line_of_the_pages_names_a_command_and_options_that_exist() -> None:
    known = typer.main.get_command(app).commands
    found = [words for page in PAGES for words in commands(page) if words and words[0] == "windtunnel"]
    assert found
    for words in found:
        options = {option for parameter in known[words[1]].params for option in parameter.opts}
        assert {word for word in words[2:] if word.startswith("--")} <= options, words


@pytest.mark.slow
def test_the_first_suite_goes_as_its_page_says(tmp_path: Path) -> None:
    store = str(tmp_path / "store")
    said = []
    for words in commands(ROOT / "docs" / "first-suite.md"):
        if words[1] == "run" and any(words == earlier for earlier, _ in said):
            mine = tmp_path / "suites" / "my-first.yaml"
            mine.write_text(mine.read_text().replace("label_smoothing: 0.1", "label_smoothing: 0.2"))
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "WINDTUNNEL_STORE": store}
        done = subprocess.run(
            [sys.executable, "-c", "from windtunnel.cli import main; main()", *words[1:]],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        said.append((words, done.stdout))
    assert [output for words, output in said if words[1] == "plan" and "54 cells: 6 fine-tunings, 48 evaluations" in output]
    first, second = [output for words, output in said if words[1] == "run"]
    assert "54 cells computed" in first
    assert "18 cells computed, 36 held by the store" in second


def test_the_starter_of_init_is_what_the_first_page_shows(tmp_path: Path) -> None:
    from windtunnel.cli.starter import BENCHMARK, SUITE

    shown = [yaml.safe_load(block.text) for block in blocks(ROOT / "docs" / "first-suite.md") if block.language == "yaml"]
    assert yaml.safe_load(SUITE) in shown
    assert yaml.safe_load(BENCHMARK) in shown
