"""Gradients of a text victim: those of textattack's own wrapper, and the recipe that follows them finds what the package finds."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import io
import pickle
from collections import defaultdict
from fractions import Fraction

import numpy as np
import pytest
import torch
from tests.support.language import CONFIGS, WORDS, tokenizer
from transformers import AutoModelForSequenceClassification

from windtunnel.builtins import THREATS
from windtunnel.core.batch import Batch
from windtunnel.core.texts import Texts
from windtunnel.core.victim import Victim
from windtunnel.errors import VictimError
from windtunnel.language.textattack import provided, replaced, textattack
from windtunnel.models.text import as_reader
from windtunnel.seeding import reseed, scoped
from windtunnel.threats.text.library.recipes import RECIPES

SENTENCES = (
    "the film was good and the music was lovely",
    "the story was dull but the acting is fine",
    "i saw this movie one day and felt quite poor",
    "a really awful plot and a very bad actor",
    "we made it not so great after two",
    "Unknown words beside a good film",
)
REPLACED = ("tagger", "stsb-distilbert-base", "universal-sentence-encoder")
SCALE = 0.5
"""Spread of the weights, so large that single words decide."""


@pytest.fixture
def pair():
    """A classifier without dropout, and its tokenizer."""
    config = CONFIGS["bert"]()
    config.update({"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "initializer_range": SCALE})
    torch.manual_seed(1)
    fast = tokenizer()
    fast.model_max_length = 40
    return AutoModelForSequenceClassification.from_config(config).eval(), fast


@pytest.fixture
def victim(pair):
    return Victim.of(as_reader(*pair))


@pytest.fixture
def vectors(tmp_path, monkeypatch):
    """Vectors of a few words in the files of the counter-fitted ones, in a cache of textattack of their own."""
    monkeypatch.setenv("TA_CACHE_DIR", str(tmp_path))
    folder = tmp_path / "word_embeddings" / "paragramcf"
    folder.mkdir(parents=True)
    draws = np.random.default_rng(0)
    kinds = draws.normal(size=(4, 8))[np.arange(len(WORDS)) % 4]
    matrix = (kinds + 0.2 * draws.normal(size=kinds.shape)).astype(np.float32)
    units = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    np.save(folder / "paragram.npy", matrix)
    np.save(folder / "nn.npy", (-units @ units.T).argsort(1))
    (folder / "wordlist.pickle").write_bytes(pickle.dumps({word: number for number, word in enumerate(WORDS)}))
    for name in ("mse_dist.p", "cos_sim.p"):
        (folder / name).write_bytes(pickle.dumps(defaultdict(dict)))
    textattack()
    known = importlib.import_module("textattack.shared.utils").GLOBAL_OBJECTS
    monkeypatch.delitem(known, "textattack_counterfitted_GLOVE_embedding", raising=False)
    yield
    known.pop("textattack_counterfitted_GLOVE_embedding", None)


@pytest.fixture
def found(monkeypatch):
    """The resources that stand-ins replace count as installed."""
    module = importlib.import_module("windtunnel.threats.text.library.textattack")
    there = {name: dataclasses.replace(module.RESOURCES[name], found=lambda: True) for name in REPLACED}
    monkeypatch.setattr(module, "RESOURCES", {**module.RESOURCES, **there})


def stand_ins(module):
    """In place of taggers and sentence encoders of a recipe: words of like length, and the share of words that stay."""
    from textattack.constraints import Constraint

    class Tagger(Constraint):
        def __init__(self, **_options):
            super().__init__(compare_against_original=True)

        def _check_constraint(self, transformed_text, reference_text):
            return all(abs(len(new) - len(old)) < 4 for new, old in zip(transformed_text.words, reference_text.words, strict=True))

    class Encoder(Constraint):
        def __init__(self, **_options):
            super().__init__(compare_against_original=True)

        def _check_constraint(self, transformed_text, reference_text):
            pairs = list(zip(transformed_text.words, reference_text.words, strict=True))
            transformed_text.attack_attrs["similarity_score"] = sum(new == old for new, old in pairs) / len(pairs)
            return True

    kinds = {"PartOfSpeech": Tagger, "SBERT": Encoder, "UniversalSentenceEncoder": Encoder}
    return {name: kind for name, kind in kinds.items() if hasattr(module, name)}


def wrapper(pair):
    from textattack.models.wrappers import HuggingFaceModelWrapper

    return HuggingFaceModelWrapper(*pair)


def gradients(victim, fields=("text",)):
    from windtunnel.threats.text.library.gradients import Gradients

    return Gradients(victim, Texts.of([("",) * len(fields)], fields))


@pytest.mark.parametrize("given", [SENTENCES[0], (SENTENCES[1], SENTENCES[2])])
def test_gradient_and_tokens_are_those_of_the_packages_wrapper(pair, victim, given):
    textattack()
    ours = gradients(victim, ("text",) if isinstance(given, str) else ("first", "second"))
    found, tokens = ours.get_grad(given), ours.tokenize([given], strip_prefix=True)
    with provided("nltk-198"):
        theirs = wrapper(pair).get_grad(given)
    size = found["ids"].shape[1]
    assert found["ids"].tolist() == theirs["ids"][:, :size].tolist()
    assert found["gradient"] == pytest.approx(theirs["gradient"][:size], rel=1e-4, abs=1e-6)
    assert np.abs(found["gradient"]).max() > 1e-3
    assert tokens == [pair[1].convert_ids_to_tokens(found["ids"][0].tolist())]


def test_a_gradient_is_one_pass_each_way_and_leaves_the_network_as_it_was(victim):
    textattack()
    before = victim.logits(Texts.of(SENTENCES))
    start = victim.meter.forward
    gradients(victim).get_grad(SENTENCES[0])
    assert (victim.meter.forward - start, victim.meter.backward) == (1, 1)
    assert torch.equal(victim.logits(Texts.of(SENTENCES)), before)
    assert all(parameter.grad is None for parameter in victim.module.parameters())


@pytest.mark.parametrize("name", ["a2t", "textfooler", pytest.param("iga", marks=pytest.mark.slow)])
def test_recipes_with_vectors_find_and_ask_what_the_package_does_one_by_one(pair, victim, vectors, found, name):
    from textattack.shared import AttackedText

    module = importlib.import_module(f"textattack.attack_recipes.{RECIPES[name].module}")
    texts = Texts.of(SENTENCES)
    labels = victim.logits(texts).argmax(1)
    given = Batch(texts, labels, tuple(f"s{row}" for row in range(len(SENTENCES))))
    with replaced(module, **stand_ins(module)):
        ours = THREATS.load(f"textattack/{name}")().perturb(victim, given, Fraction(1), 3)
        theirs = []
        with provided("nltk-198"), scoped("reference"), contextlib.redirect_stderr(io.StringIO()):
            attack = getattr(module, RECIPES[name].kind).build(wrapper(pair))
            for row, text in enumerate(SENTENCES):
                reseed(3, f"textattack/{name}", f"s{row}")
                theirs.append(attack.attack(AttackedText(text), int(labels[row])))
    assert [row[0] for row in ours.inputs] == [result.perturbed_text() for result in theirs]
    assert [attempt.queries for attempt in ours.attempts] == [result.num_queries for result in theirs]
    assert "succeeded" in {attempt.status for attempt in ours.attempts}
    assert victim.meter.backward == (len(SENTENCES) if RECIPES[name].gradient else 0)


def test_a_victim_without_gradients_is_refused_before_it_is_asked(vectors, found):
    asked = []

    def answer(texts):
        asked.append(texts)
        return torch.zeros(len(texts), 2)

    given = Batch(Texts.of(SENTENCES), torch.zeros(len(SENTENCES), dtype=torch.long), SENTENCES)
    with pytest.raises(VictimError, match="gives no gradient by the words of a text"):
        THREATS.load("textattack/a2t")().perturb(Victim.of(answer), given, Fraction(1), 0)
    assert asked == []


def test_candidates_of_a_masked_language_model_need_one_and_no_vectors():
    usual, masked = ({need.is_ for need in THREATS.load("textattack/a2t")(mlm=mlm).resources()} for mlm in (False, True))
    assert len(usual & masked) == 2
    assert any("vectors" in what for what in usual - masked)
    assert any("bert-base-uncased" in what for what in masked - usual)


def test_hotflip_is_left_out_because_the_package_refuses_language_models(pair):
    textattack()
    from textattack.attack_recipes import HotFlipEbrahimi2017

    with provided("nltk-198"), pytest.raises(ValueError, match="Cannot perform GradientBasedWordSwap"):
        HotFlipEbrahimi2017.build(wrapper(pair))
