"""A suite on texts from the table to the page, with a tiny BERT: recipes, a blind threat, an attack and a shift."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from support import language
from support.words import Greedy, Spoil

import windtunnel as wt
from windtunnel import make_recipe
from windtunnel.catalog import Catalog
from windtunnel.conditions.missing import Missing
from windtunnel.conditions.shortcut import Shortcut as Marked
from windtunnel.core.model import Preprocessing
from windtunnel.core.runner import Runner
from windtunnel.core.suite import Benchmark, Headline, Suite
from windtunnel.datasets.digits import Digits
from windtunnel.datasets.text_table import TextTable
from windtunnel.errors import DataError, ModelError, RecipeError, SpecError, VictimError
from windtunnel.execution.run import run
from windtunnel.execution.store import Store
from windtunnel.models.transformers import TransformersModel
from windtunnel.reporting.report import Report
from windtunnel.specs import load_suite
from windtunnel.threats.shift import Shift
from windtunnel.threats.shortcut import Shortcut

GOOD, BAD = ("good", "great", "fine", "lovely"), ("bad", "dull", "awful", "poor")
NOUNS = ("film", "movie", "story", "plot", "music", "actor")


def table(path, things):
    """Sentences whose one telling word decides; of different length."""
    lines = []
    for row, noun in enumerate(things):
        for word in (*GOOD, *BAD):
            lines.append({"text": f"the {noun} was {'very ' * (row % 4)}{word}", "label": "good" if word in GOOD else "bad"})
            lines.append({"text": f"a {'really ' * (row % 3)}{word} {noun}", "label": "good" if word in GOOD else "bad"})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    language.save(folder / "bert")
    table(folder / "films.jsonl", NOUNS)
    table(folder / "days.jsonl", ("day", "end", "acting"))
    return folder


def suite(place) -> Suite:
    shift = Shift(data="text-table[test]", options={"path": str(place / "days.jsonl")})
    threats = {"spoil": Spoil(severities=(1,)), "greedy": Greedy(severities=(1, 2)), "shift": shift}
    benchmark = Benchmark("words", 1, None, "test", 20, 0, threats, ("accuracy", "macro-f1"), Headline("worst-case", "greedy", None, "x"), "text")
    return Suite(
        name="texts",
        models={"tiny": TransformersModel(name=str(place / "bert"))},
        data=TextTable(path=str(place / "films.jsonl")),
        recipes={
            "probe": make_recipe("linear-probe", "text", epochs=5, batch=16),
            "full": make_recipe("full", "text", epochs=20, lr=3e-3, batch=16),
            "lp-ft": make_recipe("lp-ft", "text", epochs=2, batch=16),
        },
        benchmarks=(benchmark,),
        seeds=(0,),
        selection="id-val",
        threads=1,
        samples=None,
        source={"suite": "texts"},
    )


def go(suite, place, workers=1):
    return run(suite, store=Store(place / "store"), runs=place / "runs", runner=Runner(workers=workers, device="cpu"))


def contents(done):
    return [(done.folder / name).read_bytes() for name in ("records.jsonl", "outcomes.parquet")]


def test_a_suite_on_texts_runs_reports_and_repeats_byte_for_byte(place, tmp_path):
    done = go(suite(place), place)
    assert (done.computed, done.failed) == (3 + 3 * 4, 0)
    records = [json.loads(line) for line in (done.folder / "records.jsonl").read_text().splitlines()]
    full = {record["labels"]["threat"]: record for record in records if record["labels"]["recipe"] == "full"}
    assert full[""]["content"]["model"]["preprocessing"]["pooling"] == "classifier"
    assert full[""]["content"]["recipe"]["arguments"]["warmup"] == 0.1
    assert full["clean"]["estimates"]["0"]["accuracy"]["value"] > 0.8, "the telling words are learned"
    assert full["greedy"]["cost"]["queries"] > 0
    assert full["spoil"]["examples"][0]["fields"] == ["text"]
    Report(done.folder).write()
    page = (done.folder / "report.html").read_text()
    assert "<mark>" in page
    assert go(suite(place), place).computed == 0
    language.save(tmp_path / "bert")
    for name in ("films.jsonl", "days.jsonl"):
        (tmp_path / name).write_bytes((place / name).read_bytes())
    assert contents(go(suite(tmp_path), tmp_path, workers=2)) == contents(done), "neither places nor workers are in a result"


def test_training_conditions_act_on_texts_and_marked_tests_tell_their_groups(place):
    benchmark = replace(suite(place).benchmarks[0], threats={"marks": Shortcut(classes=2)}, headline=Headline("mean", "marks", None, "x"))
    crossed = replace(
        suite(place),
        recipes={"probe": suite(place).recipes["probe"]},
        benchmarks=(benchmark,),
        conditions={"clean": None, "gaps": Missing(share=0.3), "marked": Marked(correlation=1.0)},
    )
    done = go(crossed, place)
    assert (done.computed + done.held, done.failed) == (3 * 3, 0)
    report = Report(done.folder)
    (marks,) = (report.folder.cell("tiny", "probe @ marked", 0, "words", "marks"),)
    assert set(report.folder.outcomes.slice(marks.key, "1").groups) == {0, 1, 2, 3}
    assert marks.examples[0]["texts"][1][0].startswith("zx")
    assert [each.name for each in report.leaderboard.measures] == ["worst-group accuracy under marks"] * 3


def test_the_python_interface_takes_lists_of_strings(place):
    source = TextTable(path=str(place / "films.jsonl"))
    victim = wt.finetune(str(place / "bert"), "full", source, epochs=4, lr=3e-3)
    batch = wt.load_data("text-table", path=str(place / "films.jsonl"))
    texts = batch.inputs.plain()
    one, other = wt.evaluate(victim, texts, batch.labels.tolist(), threat="clean"), wt.evaluate(victim, batch.inputs, batch.labels, threat="clean")
    assert one.predicted.tolist() == other.predicted.tolist()
    told = wt.evaluate(lambda found: torch.tensor([[0.0, float("good" in text)] for text in found]), ["good", "x"], [1, 1], threat="clean")
    assert told.correct.tolist() == [[True, False]]
    with pytest.raises(DataError, match="pgd changes image inputs, and these are text inputs"):
        wt.evaluate(victim, texts, batch.labels, threat="pgd", eps="8/255")


PAIRS = """\
suite: pairs
models: [{{use: {bert}}}]
data: {{use: text-table, path: {table}, text: [premise, hypothesis], open: hypothesis, classes: [follows, does-not]}}
recipes: [{{use: full, epochs: 8, lr: 3.0e-3, batch: 16}}]
benchmarks: [sides]
"""

SIDES = """\
benchmark: sides
version: 1
task: text-classification
data: suite[test]
threats:
  - {use: perturbations, set: typos, severities: [2, 5]}
  - {use: greedy-typos, words: 1/2}
headline: worst-case accuracy of greedy-typos
"""


def test_a_suite_on_pairs_in_a_file_leaves_the_closed_side_as_it_was(place, tmp_path):
    rows = []
    for row, noun in enumerate(NOUNS * 2):
        for word in GOOD[:2] + BAD[:2]:
            label = "follows" if word in GOOD else "does-not"
            rows.append(
                {"premise": f"we saw the {noun} on day {row}", "hypothesis": f"the {noun} was {'very ' * (row % 3)}{word} {noun}", "label": label}
            )
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for kind, name, text in (("suites", "pairs", PAIRS.format(bert=place / "bert", table=tmp_path / "pairs.jsonl")), ("benchmarks", "sides", SIDES)):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / f"{name}.yaml").write_text(text)
    loaded = load_suite("pairs", Catalog(tmp_path))
    done = go(loaded, tmp_path)
    assert (done.computed, done.failed) == (1 + 1 + 4 + 1, 0)
    test = loaded.data.load()["test"]
    given = dict(zip(test.ids, test.texts(), strict=True))
    records = [json.loads(line) for line in (done.folder / "records.jsonl").read_text().splitlines()]
    attacked = next(record for record in records if record["labels"]["threat"] == "greedy-typos")
    assert attacked["cost"]["queries"] > 0
    examples = [example for record in records for example in record["examples"]]
    assert {tuple(example["fields"]) for example in examples} == {("premise", "hypothesis")}
    assert all(tuple(example["texts"][0]) == given[example["id"]] for example in examples)
    assert all(example["texts"][1][0] == given[example["id"]][0] for example in examples), "the premise"
    assert any(example["texts"][1][1] != given[example["id"]][1] for example in attacked["examples"])
    copies = [json.loads(path.read_text())["rows"] for path in (tmp_path / "store").rglob("copies.json")]
    assert len(copies) == 4
    for after in (levels[level] for levels in copies for level in ("2", "5")):
        assert [premise for premise, _ in after] == [premise for premise, _ in given.values()]
        assert [hypothesis for _, hypothesis in after] != [hypothesis for _, hypothesis in given.values()]


def test_recipes_and_models_of_images_are_refused_before_anything_is_computed(place):
    source = TextTable(path=str(place / "films.jsonl"))
    with pytest.raises(RecipeError, match="augment: augmix trains on image inputs, and the data holds texts"):
        wt.finetune(str(place / "bert"), "full", source, augment="augmix")
    with pytest.raises(RecipeError, match="perturb: adversarial trains on image inputs"):
        wt.finetune(str(place / "bert"), "pgd-at", source)
    with pytest.raises(ModelError, match="micro-vit takes image inputs, and films holds texts"):
        wt.finetune("windtunnel/micro-vit", "full", source)
    with pytest.raises(ModelError, match=r"takes text inputs, but the suite.s data digits holds images"):
        go(replace(suite(place), data=Digits()), place)


def test_a_file_that_mixes_modalities_is_told_all_at_once(place):
    (place / "benchmarks").mkdir(exist_ok=True)
    (place / "suites").mkdir(exist_ok=True)
    (place / "benchmarks" / "own.yaml").write_text(
        "benchmark: own\nversion: 1\ntask: text-classification\ndata: suite[test]\nthreats:\n"
        "  - {use: shift, data: 'text-table[test]', options: {path: ../days.jsonl}}\nheadline: mean accuracy of shift\n"
    )
    written = (
        "suite: mixed\nmodels: [windtunnel/micro-vit]\ndata: {use: text-table, path: ../films.jsonl}\n"
        "recipes: [pgd-at, {use: full, name: mix, augment: augmix}]\nbenchmarks: [digits-linf]\n"
    )
    (place / "suites" / "mixed.yaml").write_text(written)
    with pytest.raises(SpecError, match=r"(?s)perturb: adversarial trains on image inputs.*augment: augmix trains on image inputs"):
        load_suite("mixed", Catalog(place))
    (place / "suites" / "mixed.yaml").write_text(written.replace("[pgd-at, {use: full, name: mix, augment: augmix}]", "[full]"))
    with pytest.raises(SpecError, match=r"(?s)micro-vit' takes image inputs.*'digits-linf' has image inputs"):
        load_suite("mixed", Catalog(place))
    good = written.replace("pgd-at, {use: full, name: mix, augment: augmix}", "full").replace("windtunnel/micro-vit", "windtunnel/minilm-l6")
    (place / "suites" / "mixed.yaml").write_text(good.replace("digits-linf", "own"))
    found = load_suite("mixed", Catalog(place))
    assert (found.recipes["full"].lr, found.recipes["full"].batch, found.recipes["full"].epochs) == (5e-5, 32, 3)
    assert "path" not in found.benchmarks[0].threats["shift"].describe()["arguments"]["options"]
    assert Preprocessing.modality == "image"


def test_texts_that_are_cut_off_are_counted_and_flagged(place, tmp_path):
    lines = [json.loads(line) for line in (place / "films.jsonl").read_text().splitlines()]
    for row, line in enumerate(lines):
        line["text"] += " and it was so" * (12 * (row % 4 == 0))
    (tmp_path / "films.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    clean = suite(place)
    long = replace(
        clean, data=TextTable(path=str(tmp_path / "films.jsonl")), recipes={"probe": make_recipe("linear-probe", "text", epochs=2, batch=16)}
    )
    records = [json.loads(line) for line in (go(long, tmp_path).folder / "records.jsonl").read_text().splitlines()]
    found = {record["labels"]["threat"]: record for record in records}
    splits = {name: TextTable(path=str(tmp_path / "films.jsonl")).load()[name] for name in ("train", "test")}
    longer = {name: sum(len(row[0].split()) + 2 > 40 for row in data.texts()) for name, data in splits.items()}
    assert found[""]["facts"]["truncated"] == longer["train"] > 0
    flagged = found["clean"]
    assert 0 < flagged["facts"]["truncated"] <= longer["test"]
    assert f"{flagged['facts']['truncated']} of 20 texts are longer" in flagged["flags"][-1]["message"]
    assert "truncated" not in found["shift"]["facts"], "the other data is short"


@pytest.mark.parametrize("kind", ["bert", "gpt2"])
def test_a_model_of_transformers_with_its_tokenizer_is_a_classifier(kind, tmp_path):
    network = language.save(tmp_path, kind, whole=True, num_labels=2).eval()
    fast = language.tokenizer(decoder=kind == "gpt2")
    texts = ["a good film", "the plot was dull and the acting was very very bad"]
    outcome = wt.evaluate((network, fast), texts, [0, 1], threat="clean")
    for row, text in enumerate(texts):
        with torch.no_grad():
            logits = network(**fast(text, return_tensors="pt")).logits[0]
        assert outcome.predicted[0][row] == int(logits.argmax())
        assert outcome.confidence[0][row] == pytest.approx(float(logits.softmax(0).max()), abs=1e-5)
    larger = language.tokenizer(decoder=kind == "gpt2", words=(*language.WORDS, "more"))
    with pytest.raises(ModelError, match="they do not belong together"):
        wt.evaluate((network, larger), texts, [0, 1], threat="clean")


def test_a_module_in_training_mode_is_refused_and_left_as_it_is(tmp_path):
    network = language.save(tmp_path, whole=True, num_labels=2).eval()
    network.dropout.train()
    with pytest.raises(VictimError, match="training mode"):
        wt.evaluate((network, language.tokenizer()), ["a good film"], [0], threat="clean")
    assert network.dropout.training
