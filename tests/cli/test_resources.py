"""What attacks on texts read, as a person meets it on a machine that has none of it."""

from __future__ import annotations

import json
import sys

import pytest
from support import language

from windtunnel.cli import main
from windtunnel.language import resources, wordnet

SUITE = """\
suite: words
models: [bert]
data: {use: text-table, path: ../films.jsonl}
recipes: [{use: linear-probe, epochs: 3, batch: 8}]
benchmarks: [attacked]
"""

BENCHMARK = """\
benchmark: attacked
version: 1
task: text-classification
data: suite[test]
samples: 8
threats:
  - textattack/deepwordbug
  - textattack/pwws
  - textattack/iga
headline: worst-case accuracy of attacks
"""


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A project on a machine without resources, whose NLTK and web servers answer nothing."""
    language.save(tmp_path / "bert")
    words = ("good", "great", "bad", "dull")
    lines = [{"text": f"the {noun} was {word}", "label": "good" if word in words[:2] else "bad"} for noun in "abcdefghij" for word in words]
    (tmp_path / "films.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    for kind, name, text in (("suites", "words", SUITE), ("benchmarks", "attacked", BENCHMARK)):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / f"{name}.yaml").write_text(text.replace("[bert]", f"[{tmp_path / 'bert'}]"))
    empty = tmp_path / "empty"
    monkeypatch.setattr(wordnet, "DEBIAN", empty)
    monkeypatch.setattr(wordnet, "wordnet_cache", lambda: tmp_path / "fetched" / "wordnet-3.0")
    for name, value in (("NO_INDEX", "1"), ("FIND_LINKS", str(empty)), ("CONFIG_FILE", "/dev/null")):
        monkeypatch.setenv(f"PIP_{name}", value)
    for module in (wordnet, resources):
        monkeypatch.setattr(module, "nltk_folders", lambda: (empty,))
    monkeypatch.setattr(resources, "TEXTATTACK_FILES", (tmp_path / "nowhere").as_uri())
    monkeypatch.setenv("TA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr("nltk.download", lambda name, **options: (_ for _ in ()).throw(ValueError("no network")))
    monkeypatch.setenv("WINDTUNNEL_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def trained_on_synonyms(bare):
    """The same suite, its benchmark free of resources, with a recipe that reads WordNet."""
    suite, benchmark = bare / "suites" / "words.yaml", bare / "benchmarks" / "attacked.yaml"
    suite.write_text(suite.read_text().replace("recipes: [", "recipes: [{use: synonym-training, batch: 8}, "))
    benchmark.write_text(benchmark.read_text().replace("  - textattack/pwws\n  - textattack/iga\n", ""))


@pytest.fixture
def windtunnel(bare, monkeypatch, capsys):
    """Run a command there: (exit code, standard output, standard error)."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["windtunnel", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return call


def test_validate_and_plan_warn_and_do_not_fail(windtunnel):
    for command in ("validate", "plan"):
        code, out, err = windtunnel(command, "words")
        assert code == 0
        assert out
        lines = [line for line in err.splitlines() if line.startswith("warning: on this machine textattack/")]
        assert [line.split()[4] for line in lines] == ["textattack/pwws", "textattack/iga"]
        assert "Install the Debian package wordnet-base" in err


def test_run_names_all_that_is_missing_before_it_computes_anything(windtunnel, bare):
    code, _, err = windtunnel("run", "words")
    assert code == 2
    assert "textattack/pwws needs WordNet 3.0, which is not installed" in err
    assert "textattack/iga needs the counter-fitted word vectors, which is not installed" in err
    assert not (bare / "runs").exists()


def test_fetch_gets_what_it_can_and_fails_with_what_it_cannot(windtunnel):
    code, out, err = windtunnel("fetch", "words")
    assert code == 2
    assert "WordNet 3.0: MISSING" in out
    assert "films: test" in out, "the data was looked at all the same"
    assert "textattack/pwws: WordNet 3.0 could not be fetched (ResourceError: package index: " in err
    assert "NLTK: no network). Install the Debian package wordnet-base" in " ".join(err.split())
    assert "textattack/iga: the counter-fitted word vectors could not be fetched" in " ".join(err.split())


def test_what_a_recipe_reads_is_asked_for_like_what_a_threat_reads(windtunnel, bare, trained_on_synonyms):
    code, _, err = windtunnel("plan", "words")
    assert code == 0
    assert "synonyms needs WordNet 3.0, which is not installed" in " ".join(err.split())
    code, _, err = windtunnel("run", "words")
    assert code == 2
    assert "synonyms needs WordNet 3.0, which is not installed. Install the Debian package wordnet-base" in " ".join(err.split())
    assert not (bare / "runs").exists()
    code, out, err = windtunnel("fetch", "words")
    assert code == 2
    assert "WordNet 3.0: MISSING" in out
    assert "synonyms: WordNet 3.0 could not be fetched" in " ".join(err.split())


def test_doctor_lists_what_is_there_and_how_to_get_the_rest(windtunnel):
    code, out, _ = windtunnel("doctor")
    assert code == 0
    assert "WordNet 3.0: missing, for textattack/leap, textattack/pwws and greedy-wordnet. Install the Debian package wordnet-base" in out
    assert "the counter-fitted word vectors: missing, for" in out


def test_an_attack_that_reads_nothing_runs_without_any_of_it(windtunnel, bare):
    path = bare / "benchmarks" / "attacked.yaml"
    path.write_text(path.read_text().replace("  - textattack/pwws\n  - textattack/iga\n", ""))
    code, _, err = windtunnel("run", "words", "--quiet")
    assert (code, err) == (0, "")
    assert "deepwordbug" in (bare / "runs" / "words" / "latest" / "report.html").read_text()
