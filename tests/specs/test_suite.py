"""Suite files: what they become, each way in which one can be wrong, and the benchmarks they bring along."""

from __future__ import annotations

import pytest

from windtunnel.catalog import Catalog
from windtunnel.errors import CatalogError, SpecError
from windtunnel.specs import load_suite

TOP = "suite: mine\nmodels: [windtunnel/micro-resnet]\ndata: digits\nrecipes: [full]\nbenchmarks: [own]\n"


def changed(**keys: str) -> str:
    """The suite of five lines with other values; a key it lacks becomes line 6."""
    lines = [line.split(": ", 1) for line in TOP.splitlines()]
    known = [key for key, _ in lines]
    lines = [[key, keys.get(key, value)] for key, value in lines] + [[key, value] for key, value in keys.items() if key not in known]
    return "".join(f"{key}: {value}\n" for key, value in lines)


def test_a_suite_is_read_with_its_defaults(workspace, suite_text) -> None:
    suite = workspace.suite(suite_text)
    assert suite.name == "mine"
    assert (suite.seeds, suite.selection, suite.threads, suite.samples) == ((0,), "id-val", 1, None)
    assert list(suite.models) == ["windtunnel/micro-resnet"]
    assert suite.models["windtunnel/micro-resnet"].name == "micro-resnet"
    assert suite.data.use == "digits"
    assert [benchmark.name for benchmark in suite.benchmarks] == ["own"]


def test_every_key_arrives(workspace) -> None:
    suite = workspace.suite(changed(seeds="[3, 1]", selection="oracle", threads="2", samples="100"))
    assert (suite.seeds, suite.selection, suite.threads, suite.samples) == ((3, 1), "oracle", 2, 100)


def test_arguments_and_shown_names_arrive(workspace) -> None:
    suite = workspace.suite(
        changed(
            models="[{use: windtunnel/micro-vit, name: ViT}, {use: 'mine:net', size: 32}]",
            recipes="[full, {use: full, name: gentle, lr: 1e-4, epochs: 2}]",
            data="{use: digits, seed: 7}",
        )
    )
    assert list(suite.models) == ["ViT", "mine:net"]
    assert suite.models["mine:net"].arguments()["size"] == 32
    assert list(suite.recipes) == ["full", "gentle"]
    assert (suite.recipes["gentle"].arguments()["lr"], suite.recipes["gentle"].arguments()["epochs"]) == (0.0001, 2)
    assert suite.data.arguments()["seed"] == 7


def test_the_files_content_is_kept_for_the_manifest(workspace) -> None:
    suite = workspace.suite(changed(recipes="[{use: full, name: gentle, lr: 1e-4}]"))
    assert suite.source["recipes"] == [{"use": "full", "name": "gentle", "lr": 0.0001}]


def test_local_files_are_meant_beside_the_suite_wherever_it_is_started_from(workspace, tmp_path, monkeypatch) -> None:
    workspace.suite(changed(models="[./net.safetensors]", data="{use: folder, path: photos}"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    suite = load_suite(tmp_path / "suites" / "mine.yaml", Catalog(tmp_path))
    assert list(suite.models) == ["./net.safetensors"]
    assert suite.models["./net.safetensors"].name == str(tmp_path / "suites" / "net.safetensors")
    assert suite.data.arguments()["path"] == str(tmp_path / "suites" / "photos")


def test_a_benchmark_may_be_a_file_beside_the_suite(workspace, benchmark_text) -> None:
    workspace.write("suites/special.yaml", benchmark_text.replace("own", "special"))
    suite = workspace.suite(changed(benchmarks="[own, ./special.yaml]"))
    assert [benchmark.name for benchmark in suite.benchmarks] == ["own", "special"]


@pytest.mark.parametrize(
    ("keys", "line", "column", "message"),
    [
        ({"suite": "../mine"}, 1, 8, "'suite' becomes the name of a file"),
        ({"suite": ""}, 1, 7, "'suite' must be text; found nothing."),
        ({"modls": "[x]"}, 6, 1, "A suite has no key 'modls'. Did you mean 'models'?"),
        ({"models": "windtunnel/micro-vit"}, 2, 9, "'models' must be a list of models; found 'windtunnel/micro-vit'. Write it as [...]"),
        ({"models": "[]"}, 2, 9, "'models' is an empty list; give at least one of the models."),
        ({"models": "[windtunnel/micro-vti]"}, 2, 10, "Unknown model 'windtunnel/micro-vti'. Did you mean 'windtunnel/micro-vit'?"),
        ({"models": "[3]"}, 2, 10, "A model is a name, or a mapping with 'use' and arguments; found 3."),
        ({"models": "['mine:net']"}, 2, 10, "mine:net needs the argument 'size'."),
        ({"models": "[{use: 'mine:net', size: 8, chanels: 1}]"}, 2, 37, "mine:net has no argument 'chanels'. Did you mean 'channels'?"),
        ({"models": "[{use: 'mine:net', size: big}]"}, 2, 34, "argument 'size' of mine:net: expected a whole number; found 'big'."),
        (
            {"models": "[{use: windtunnel/micro-vit, name: a}, {use: windtunnel/micro-resnet, name: a}]"},
            2,
            48,
            "Two models are shown as 'a'. Give one of them another 'name'",
        ),
        ({"data": "digist"}, 3, 7, "Unknown dataset 'digist'. Did you mean 'digits'?"),
        ({"data": "digits[train]"}, 3, 7, "A whole data set is meant, without a split: write 'digits' instead of 'digits[train]'."),
        ({"data": "folder"}, 3, 7, "folder needs the argument 'path'."),
        ({"data": "{use: digits, sede: 1}"}, 3, 21, "digits has no argument 'sede'. Did you mean 'seed'?"),
        ({"data": "3"}, 3, 7, "A dataset is a name, or a mapping with 'use' and arguments; found 3."),
        ({"recipes": "[fulll]"}, 4, 11, "Unknown recipe 'fulll'. Did you mean 'full'?"),
        ({"recipes": "[{use: fulll}]"}, 4, 17, "Unknown recipe 'fulll'. Did you mean 'full'?"),
        ({"recipes": "[{use: full, epocs: 3}]"}, 4, 23, "full has no argument 'epocs'. Did you mean 'epochs'?"),
        ({"recipes": "[{use: full, epochs: three}]"}, 4, 31, "argument 'epochs' of full: expected a whole number; found 'three'."),
        ({"recipes": "[{use: full, epochs: true}]"}, 4, 31, "argument 'epochs' of full: expected a number; found true."),
        ({"recipes": "[{use: full, lr: nan}]"}, 4, 27, "argument 'lr' of full:"),
        ({"recipes": "[full, full]"}, 4, 17, "Two recipes are shown as 'full'. Give one of them another 'name'"),
        ({"recipes": "[{use: full, name: 7}]"}, 4, 29, "A shown name is one line of text of up to 300 characters; found 7."),
        ({"benchmarks": "[onw]"}, 5, 14, "There is no benchmark 'onw'. Did you mean 'own'?"),
        ({"benchmarks": "[own, own]"}, 5, 19, "The benchmark 'own' is listed twice."),
        ({"benchmarks": "[{use: own}]"}, 5, 14, "A benchmark is a name or a .yaml file; found a mapping."),
        ({"benchmarks": "[../../etc/passwd]"}, 5, 14, "../../etc/passwd is neither the name of a benchmark nor a .yaml file."),
        ({"benchmarks": "[none.yaml]"}, 5, 14, "There is no file suites/none.yaml."),
        ({"seeds": "3"}, 6, 8, "'seeds' must be a list of whole numbers; found 3."),
        ({"seeds": "[]"}, 6, 8, "'seeds' is an empty list"),
        ({"seeds": "[0, -1]"}, 6, 12, "A seed is a whole number of at least 0; found -1."),
        ({"seeds": "[0, true]"}, 6, 12, "A seed is a whole number of at least 0; found true."),
        ({"seeds": "[0, 0]"}, 6, 12, "The seed 0 is listed twice."),
        ({"selection": "test"}, 6, 12, "'selection' must be one of id-val, oracle; found 'test'."),
        ({"threads": "0"}, 6, 10, "'threads' must be a whole number of at least 1; found 0."),
        ({"samples": "-5"}, 6, 10, "'samples' must be a whole number of at least 1; found -5."),
        ({"samples": "!!python/name:os.system x"}, 6, 10, "The tag '!!python/name:os.system' is not allowed"),
    ],
)
def test_a_problem_is_placed_and_explained(workspace, keys: dict[str, str], line: int, column: int, message: str) -> None:
    text = changed(**keys)
    [problem] = workspace.suite_problems(text)
    assert (problem.file, problem.line, problem.column) == ("suites/mine.yaml", line, column)
    assert problem.message.startswith(message)
    assert problem.excerpt == text.splitlines()[line - 1]


@pytest.mark.parametrize("key", ["suite", "models", "data", "recipes", "benchmarks"])
def test_a_missing_key_is_named(workspace, key: str) -> None:
    text = "".join(line for line in TOP.splitlines(keepends=True) if not line.startswith(key))
    [problem] = workspace.suite_problems(text)
    assert (problem.line, problem.column, problem.message) == (1, 1, f"A suite lacks the key {key!r}.")


def test_problems_of_a_suite_and_of_its_benchmarks_come_together_each_with_its_file(workspace, benchmark_text) -> None:
    workspace.write("benchmarks/own.yaml", benchmark_text.replace("version: 1", "version: x"))
    workspace.write("benchmarks/other.yaml", "benchmark: other\nversion: 1\nversion: 2\n")
    found = workspace.suite_problems(changed(recipes="[fulll, linear-prob]", benchmarks="[own, other]", seeds="[x]"))
    assert [(each.file, each.line, each.column) for each in found] == [
        ("benchmarks/other.yaml", 1, 1),
        ("benchmarks/other.yaml", 1, 1),
        ("benchmarks/other.yaml", 1, 1),
        ("benchmarks/other.yaml", 3, 1),
        ("benchmarks/own.yaml", 2, 10),
        ("suites/mine.yaml", 4, 11),
        ("suites/mine.yaml", 4, 18),
        ("suites/mine.yaml", 6, 9),
    ]
    with pytest.raises(SpecError, match=r"^8 problems\nbenchmarks/other\.yaml:1:1: A benchmark lacks the key 'data'\.\n    benchmark: other\n    \^"):
        load_suite("mine", Catalog())


def test_two_benchmark_files_of_one_name_are_refused(workspace, benchmark_text) -> None:
    workspace.write("benchmarks/copy.yaml", benchmark_text)
    [problem] = workspace.suite_problems(changed(benchmarks="[own, copy]"))
    assert (problem.line, problem.column) == (5, 19)
    assert problem.message.startswith("Two benchmarks are called 'own'; benchmarks/copy.yaml is the second.")


def test_hostile_shown_names_are_kept_as_text(workspace) -> None:
    name = "<script>alert('x')</script>\"&\u05d0"
    suite = workspace.suite(changed(recipes="[{use: full, name: " + '"<script>alert(\'x\')</script>\\"&\u05d0"}]'))
    assert list(suite.recipes) == [name]


def test_a_suite_that_is_nowhere_is_an_error_of_the_catalogue(workspace) -> None:
    with pytest.raises(CatalogError, match=r"There is no suite 'mien'\. Did you mean 'mine'\?.*Searched in: suites, "):
        load_suite("mien", Catalog())


def test_a_normaliser_is_alexnet_or_an_entry_of_the_suite(workspace) -> None:
    entry = "windtunnel/micro-resnet + full"
    assert workspace.suite(changed(normaliser="alexnet")).source["normaliser"] == "alexnet"
    assert workspace.suite(changed(normaliser=entry)).source["normaliser"] == entry
    assert "normaliser" not in workspace.suite(TOP).source
    for wrong in ("vgg", "windtunnel/micro-resnet + lp-ft", "3"):
        (problem,) = workspace.suite_problems(changed(normaliser=wrong))
        assert problem.line == 6
        assert 'A normaliser is alexnet (its published errors on ImageNet-C), or "MODEL + RECIPE"' in problem.message
