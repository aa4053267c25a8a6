"""Benchmark files: what they become, and each way in which one can be wrong."""

from __future__ import annotations

from fractions import Fraction

import pytest

from windtunnel.catalog import Catalog
from windtunnel.errors import CatalogError
from windtunnel.specs import load_benchmark

TOP = "benchmark: own\nversion: 1\ndata: digits[test]\n"
HEADLINE = "headline: clean accuracy\n"


def with_threats(*lines: str, headline: str = "clean accuracy") -> str:
    """A benchmark whose threats begin in line 5."""
    return TOP + "threats:\n" + "".join(f"  - {line}\n" for line in lines) + f"headline: {headline}\n"


def test_a_benchmark_is_read_with_its_defaults(workspace, benchmark_text) -> None:
    found = workspace.benchmark(benchmark_text)
    assert (found.name, found.version, found.split, found.samples, found.seed) == ("own", 1, "test", None, 0)
    assert str(found.data) == "digits[test]"
    assert found.metrics == ("accuracy",)
    assert found.threats["pgd"].levels == (Fraction(2, 255), Fraction(8, 255))
    assert (found.headline.how, found.headline.threat, found.headline.level) == ("worst-case", "pgd", Fraction(8, 255))


def test_every_key_arrives(workspace) -> None:
    found = workspace.benchmark(
        TOP
        + """\
task: image-classification
samples: 50
seed: 3
threats: [{use: pgd, norm: L2, eps: 0.5, steps: 7, name: strong}]
metrics: [ece, accuracy]
headline: worst-case accuracy of strong at 1/2
"""
    )
    assert (found.samples, found.seed, found.metrics) == (50, 3, ("ece", "accuracy"))
    assert found.threats["strong"].arguments()["steps"] == 7
    assert found.threats["strong"].levels == (Fraction(1, 2),)


def test_the_suites_own_data_is_left_to_the_suite(workspace) -> None:
    found = workspace.benchmark("benchmark: own\nversion: 1\ndata: suite[val]\nthreats: []\n" + HEADLINE)
    assert found.data is None
    assert found.split == "val"


def test_data_with_arguments_starts_at_the_files_folder(workspace, tmp_path) -> None:
    text = "benchmark: own\nversion: 1\ndata: {use: folder, split: test, path: ../photos, name: Photos}\nthreats: []\n"
    found = workspace.benchmark(text + HEADLINE)
    assert found.data.source.arguments()["path"] == str(tmp_path / "benchmarks" / "../photos")
    assert str(found.data) == "Photos[test]"


def test_a_split_beside_a_bracketed_one_is_an_argument_of_the_source(workspace) -> None:
    text = 'benchmark: own\nversion: 1\ndata: {use: "table[val]", path: /data/t.csv, split: part}\nthreats: []\n'
    found = workspace.benchmark(text + HEADLINE)
    assert found.split == "val"
    assert found.data.source.arguments()["split"] == "part"


def test_a_set_of_corruptions_becomes_its_members(workspace) -> None:
    found = workspace.benchmark(with_threats("{use: corruptions, set: quick, severities: [1, 5]}", headline="mean accuracy of corruptions at 5"))
    assert list(found.threats) == ["gaussian-noise", "defocus-blur", "fog", "contrast", "pixelate", "jpeg"]
    assert all(threat.levels == (Fraction(1), Fraction(5)) for threat in found.threats.values())


def test_shift_is_a_threat_with_data_of_its_own(workspace) -> None:
    found = workspace.benchmark(with_threats('{use: shift, data: "mnist5k[test]"}', headline="mean accuracy of shift"))
    assert found.threats["shift"].family == "shift"


def test_threats_that_share_a_name_are_told_apart_by_norm(workspace) -> None:
    found = workspace.benchmark(
        with_threats("{use: pgd, eps: 8/255}", "{use: pgd, norm: L2, eps: 0.5}", headline="worst-case accuracy of pgd L2 at 1/2")
    )
    assert list(found.threats) == ["pgd Linf", "pgd L2"]
    assert found.headline.threat == "pgd L2"


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("- a\n", 1, 1, "A benchmark is a mapping of keys to values; found a list."),
        (TOP + "thraets: []\n" + HEADLINE, 4, 1, "A benchmark has no key 'thraets'. Did you mean 'threats'?"),
        ("version: 1\ndata: digits[test]\nthreats: []\n" + HEADLINE, 1, 1, "A benchmark lacks the key 'benchmark'."),
        (TOP.replace("own", "../own") + "threats: []\n" + HEADLINE, 1, 12, "'benchmark' becomes the name of a file"),
        (TOP.replace("own", "2026") + "threats: []\n" + HEADLINE, 1, 12, "'benchmark' must be text; found 2026. Quote it: \"2026\"."),
        (TOP.replace("1", "0") + "threats: []\n" + HEADLINE, 2, 10, "'version' must be a whole number of at least 1; found 0."),
        (TOP.replace("1", "true") + "threats: []\n" + HEADLINE, 2, 10, "'version' must be a whole number of at least 1; found true."),
        (TOP + "task: poetry\nthreats: []\n" + HEADLINE, 4, 7, "'task' must be one of image-classification, text-classification; found 'poetry'."),
        (TOP + "samples: all\nthreats: []\n" + HEADLINE, 4, 10, "'samples' must be a whole number of at least 1; found 'all'."),
        (TOP + "seed: 0.5\nthreats: []\n" + HEADLINE, 4, 7, "'seed' must be a whole number of at least 0; found 0.5."),
        (TOP + "threats: pgd\n" + HEADLINE, 4, 10, "'threats' must be a list of threats; found 'pgd'."),
        (TOP + "threats: []\nmetrics: [acuracy]\n" + HEADLINE, 5, 11, "Unknown metric 'acuracy'. Did you mean 'accuracy'?"),
        (TOP + "threats: []\nmetrics: [ece, ece]\n" + HEADLINE, 5, 16, "The metric 'ece' is listed twice."),
        (TOP + "threats: []\nmetrics: [{use: ece}]\n" + HEADLINE, 5, 11, "A metric is a name; found a mapping."),
        (TOP + "threats: []\nmetrics: []\n" + HEADLINE, 5, 10, "'metrics' is an empty list"),
    ],
)
def test_a_wrong_key_is_placed_and_explained(workspace, text: str, line: int, column: int, message: str) -> None:
    [problem] = workspace.benchmark_problems(text)
    assert (problem.file, problem.line, problem.column) == ("benchmarks/own.yaml", line, column)
    assert problem.message.startswith(message)
    assert problem.excerpt == text.splitlines()[line - 1]


@pytest.mark.parametrize(
    ("data", "column", "message"),
    [
        ("digist[test]", 7, "Unknown dataset 'digist'. Did you mean 'digits'?"),
        ("digits[tset]", 7, "'tset' is not a split. Did you mean 'test'?"),
        ("digits", 7, "A split of 'digits' is needed: for example 'digits[test]', one of train, val, test."),
        ("{use: digits}", 13, "A split of 'digits' is needed: the key 'split', one of train, val, test."),
        ("{use: digits, split: 3}", 28, "'3' is not a split."),
        ("{split: test}", 7, "A dataset written as a mapping needs the key 'use'"),
        ("folder[test]", 7, "folder needs the argument 'path'."),
        ("{use: folder, split: test, path: x, siez: 3}", 43, "folder has no argument 'siez'. Did you mean 'size'?"),
        ("{use: suite, split: test, seed: 1}", 33, "The suite's own data takes no arguments; 'seed' belongs into the suite."),
        ("[digits]", 7, "A dataset is a name, or a mapping with 'use' and arguments; found a list."),
    ],
)
def test_wrong_data_is_placed_and_explained(workspace, data: str, column: int, message: str) -> None:
    [problem] = workspace.benchmark_problems(f"benchmark: own\nversion: 1\ndata: {data}\nthreats: []\n" + HEADLINE)
    assert (problem.line, problem.column) == (3, column)
    assert problem.message.startswith(message)


@pytest.mark.parametrize(
    ("threat", "column", "message"),
    [
        ("pgdd", 5, "Unknown threat 'pgdd'. Did you mean 'pgd'?"),
        ("{use: corruption}", 11, "Unknown threat 'corruption'. Did you mean 'corruptions'?"),
        ("clean", 5, "The clean evaluation is part of every benchmark. Remove it from the threats."),
        ("{eps: 8/255}", 5, "A threat written as a mapping needs the key 'use'"),
        ("{use: [pgd]}", 11, "A threat is a name, or a mapping with 'use' and arguments; found a list."),
        ("{use: pgd, esp: 8/255}", 16, "pgd has no argument 'esp'. Did you mean 'eps'?"),
        ("{use: pgd, eps: 8}", 21, 'pgd: An Linf radius of 8 is larger than the whole input range [0, 1]. Did you mean "8/255"?'),
        ("{use: pgd, eps: [2/255, 8]}", 21, "pgd: An Linf radius of 8 is larger"),
        ("{use: pgd, eps: -1/255}", 21, "argument 'eps' of pgd: '-1/255' is negative; found '-1/255'."),
        ("{use: pgd, eps: a}", 21, "argument 'eps' of pgd: 'a' is not a number"),
        ("{use: pgd, eps: []}", 21, "argument 'eps' of pgd: the list is empty"),
        ("{use: pgd, eps: '1e9999999999'}", 21, "argument 'eps' of pgd: '1e9999999999' is not a number"),
        ("{use: pgd, norm: L7}", 22, "argument 'norm' of pgd: expected"),
        ("{use: pgd, steps: x}", 23, "argument 'steps' of pgd: expected a whole number; found 'x'."),
        ("{use: pgd, steps: true}", 23, "argument 'steps' of pgd: expected a number; found true."),
        ("{use: pgd, steps: {a: 1}}", 23, "argument 'steps' of pgd: expected a whole number; found a mapping."),
        ('{use: pgd, name: ""}', 22, "A shown name is one line of text of up to 300 characters; found ''."),
        ('{use: pgd, name: "a\\nb"}', 22, "A shown name is one line of text"),
        ("{use: pgd, name: attacks}", None, None),
        ("{use: pgd, name: shift}", 22, "The name 'shift' means something else in headlines."),
        ("{use: pgd, name: clean}", 22, "The name 'clean' means something else in headlines."),
        ("{use: corruptions, set: comon}", 29, "There is no set of corruptions 'comon'. Did you mean 'common'?"),
        ("{use: corruptions, name: all}", 30, "A set of corruptions has no 'name' of its own"),
        ("{use: corruptions, severities: [1, 6]}", 40, "argument 'severities' of corruptions:"),
        ('{use: shift, data: "mnist5kk[test]"}', 24, "Unknown dataset 'mnist5kk'. Did you mean 'mnist5k'?"),
        ('{use: shift, data: "mnist5k[tset]"}', 24, "'tset' is not a split. Did you mean 'test'?"),
        ("{use: shift}", 5, "shift needs the argument 'data'."),
    ],
)
def test_a_wrong_threat_is_placed_and_explained(workspace, threat: str, column: int | None, message: str | None) -> None:
    text = with_threats(threat)
    if message is None:
        workspace.benchmark(text)
        return
    [problem] = workspace.benchmark_problems(text)
    assert (problem.line, problem.column) == (5, column)
    assert problem.message.startswith(message)


def test_two_threats_shown_alike_are_refused_at_the_second(workspace) -> None:
    [problem] = workspace.benchmark_problems(with_threats("{use: pgd, eps: 2/255}", "{use: pgd, eps: 8/255}"))
    assert (problem.line, problem.column) == (6, 5)
    assert problem.message.startswith("Two threats are shown as 'pgd Linf'.")


def test_a_check_over_several_arguments_is_made_although_another_argument_is_wrong(workspace) -> None:
    found = workspace.benchmark_problems(with_threats("{use: pgd, eps: 8, steps: x}"))
    assert [(each.line, each.column) for each in found] == [(5, 21), (5, 31)]


def test_all_problems_of_a_file_are_reported_at_once_in_their_order(workspace) -> None:
    found = workspace.benchmark_problems(
        """\
        benchmark: own
        version: one
        tsak: image-classification
        data: digist[test]
        threats:
          - {use: pgd, eps: 8, stesp: 3}
          - pgdd
          - {use: fgsm, eps: 8/255}
        metrics: [acuracy]
        headline: worst accuracy
        """
    )
    assert [(each.line, each.column) for each in found] == [(2, 10), (3, 1), (4, 7), (6, 21), (6, 24), (7, 5), (9, 11), (10, 11)]


def test_a_headline_is_not_blamed_for_a_threat_that_could_not_be_read(workspace) -> None:
    [problem] = workspace.benchmark_problems(with_threats("{use: pgd, eps: 8}", headline="worst-case accuracy of pgd at 8/255"))
    assert problem.line == 5


def test_a_benchmark_that_is_nowhere_is_an_error_of_the_catalogue(workspace) -> None:
    with pytest.raises(CatalogError, match=r"There is no benchmark 'onw'\. Did you mean 'own'\?"):
        load_benchmark("onw", Catalog())
