"""Augmentations of texts: what each does to words, how often, and what it is keyed by."""

from __future__ import annotations

import numpy as np
import pytest
from support.augmenting import augmented, fitting, sentences

from windtunnel import make_recipe
from windtunnel.builtins import AUGMENTATIONS, THREATS
from windtunnel.core.texts import Texts
from windtunnel.errors import RecipeError, ResourceError
from windtunnel.language import wordnet
from windtunnel.language.wordnet import find_wordnet, read
from windtunnel.recipes.augmentation import eda
from windtunnel.recipes.augmentation.perturbation import Perturbation
from windtunnel.recipes.augmentation.word_dropout import thinned
from windtunnel.seeding import generator

PLAIN = [f"the film number {row} was a very good and happy story about a big car on the road" for row in range(300)]
DATA = sentences(PLAIN)
NAMES = {"perturbation": {"threats": ["keyboard-typos"]}, "word-dropout": {}, "synonyms": {}, "eda": {}}
installed = pytest.mark.skipif(find_wordnet() is None, reason="needs WordNet")
ALL = [pytest.param(name, marks=[installed] if name in ("synonyms", "eda") else []) for name in NAMES]


def texts(name: str, *given, data=DATA, **arguments) -> list[str]:
    return augmented(name, data, *given, **NAMES.get(name, {}) | arguments).inputs.plain()


@pytest.mark.parametrize("name", ALL)
def test_what_becomes_of_a_text_depends_on_seed_epoch_and_id_alone(name):
    whole = texts(name)
    assert texts(name, [5, 3, 17]) == [whole[5], whole[3], whole[17]]
    assert texts(name) == whole
    assert texts(name, epoch=2) != whole
    assert texts(name, seed=1) != whole
    assert texts(name, p=0) == PLAIN


@pytest.mark.parametrize("name", ALL)
def test_closed_fields_and_empty_texts_stay(name):
    pairs = sentences(Texts(tuple((each, each) for each in PLAIN[:30]), ("first", "second"), ("second",)))
    found = augmented(name, pairs, **NAMES[name] | {"p": 1 if name != "word-dropout" else 0.5}).inputs
    assert [row[0] for row in found] == PLAIN[:30]
    assert [row[1] for row in found] != PLAIN[:30]
    assert (found.fields, found.open) == (("first", "second"), ("second",))
    blank = sentences(["", "   ", "one"])
    assert texts(name, data=blank, **{"p": 1} if name != "word-dropout" else {})[:2] == ["", "   "]


def test_word_dropout_leaves_out_its_share_in_order_and_never_all():
    found = texts("word-dropout", p=0.3)
    kept = [text.split() for text in found]
    assert sum(map(len, kept)) / sum(len(text.split()) for text in PLAIN) == pytest.approx(0.7, abs=0.02)
    for words, text in zip(kept, PLAIN, strict=True):
        rest = iter(text.split())
        assert all(word in rest for word in words), "a part of the words, in their order"
    assert all(len(text.split()) == 1 for text in texts("word-dropout", p=1))
    assert thinned("  two\n words ", 0.0, generator(0)) == "  two\n words "


def test_a_perturbation_is_what_the_threat_itself_makes_at_one_of_its_severities():
    name = "keyboard-typos"
    found = texts("perturbation", threats=[{"use": name, "severities": [2, 4]}], p=1)
    threat, stage = THREATS.load(name)(), fitting(DATA)
    candidates = [threat.rewritten(DATA.texts(), DATA.ids, severity, stage.number("perturbation")).plain() for severity in (2, 4)]
    taken = [[text == other for other in others] for text, *others in zip(found, *candidates, strict=True)]
    assert all(any(row) for row in taken)
    assert np.mean([row[0] for row in taken]) == pytest.approx(0.5, abs=0.1)


def test_each_perturbed_text_draws_one_of_several_threats():
    found = texts("perturbation", threats=["upper-case", "emoji"], p=0.6)
    assert np.mean([text.lower() != text for text in found]) == pytest.approx(0.3, abs=0.08)
    assert np.mean([not text.isascii() for text in found]) == pytest.approx(0.3, abs=0.08)
    assert not any(text.lower() != text and not text.isascii() for text in found)


@pytest.mark.parametrize(
    ("threats", "message"),
    [
        ([], "`threats` is empty"),
        (["fgsm"], "fgsm is no blind change"),
        (["shift"], "shift is no blind change"),
        (["fog", "keyboard-typos"], "for images and for texts"),
    ],
)
def test_what_is_no_blind_change_of_one_kind_of_inputs_is_refused(threats, message):
    arguments = [{"use": "shift", "data": "digits[test]"} if each == "shift" else each for each in threats]
    with pytest.raises(RecipeError, match=message):
        Perturbation(threats=arguments)


def test_the_modality_of_a_perturbation_is_that_of_its_threats():
    assert Perturbation(threats=["fog", "snow"]).modalities == ("image",)
    assert Perturbation(threats="emoji").modalities == ("text",)


@installed
def test_synonyms_replace_a_tenth_of_the_words_by_synonyms_of_the_same_case():
    found = texts("synonyms", p=1)
    known = read(find_wordnet())
    for text, other in zip(PLAIN, found, strict=True):
        pairs = [(a, b) for a, b in zip(text.split(), other.split(), strict=True) if a != b]
        assert len({a for a, _ in pairs}) == max(1, int(0.1 * len(text.split())))
        assert all(b in known.synonyms(a) for a, b in pairs)
        assert not any(a in ("the", "was", "a", "very", "and", "about", "on") for a, _ in pairs), "stop words are left alone"
    assert len({tuple(a != b for a, b in zip(text.split(), other.split(), strict=True)) for text, other in zip(PLAIN, found, strict=True)}) > 5
    loud = texts("synonyms", p=1, alpha=1.0, data=sentences(['"Happy," CAR.']))[0].split()
    assert loud[0][0] == '"'
    assert loud[0][1].isupper()
    assert loud[0].endswith(',"')
    assert loud[1].isupper()
    assert loud[1][-1] == "."


def test_synonyms_change_their_share_of_the_texts():
    words = {"film": ("movie",), "car": ("auto",)}
    changed = [eda.replaced(text.split(), 1, lambda word: words.get(word, ()), generator(row)) != text.split() for row, text in enumerate(PLAIN)]
    assert all(changed)
    assert eda.replaced(["nothing", "known"], 3, lambda word: (), generator(0)) == ["nothing", "known"]


@installed
def test_half_of_the_texts_are_changed_by_default():
    assert np.mean([a != b for a, b in zip(texts("synonyms"), PLAIN, strict=True)]) == pytest.approx(0.5, abs=0.1)


def test_the_four_ways_of_eda_do_what_they_say():
    words = ["one", "two", "three", "four", "five"]

    def thesaurus(word: str) -> tuple[str, ...]:
        return {"two": ("twain",), "four": ("quartet",)}.get(word, ())

    insertion = eda.inserted(words, 2, thesaurus, generator("insert"))
    assert len(insertion) == 7
    assert [word for word in insertion if word in words] == words
    assert {word for word in insertion if word not in words} <= {"twain", "quartet"}
    swap = eda.swapped(words, 1, thesaurus, generator("swap"))
    assert sorted(swap) == sorted(words)
    assert sum(a != b for a, b in zip(swap, words, strict=True)) == 2
    assert eda.swapped(["one"], 1, thesaurus, generator(0)) == ["one"]
    assert set(eda.replaced(words, 5, thesaurus, generator(0))) == {"one", "twain", "three", "quartet", "five"}
    kept = [eda.EDA(alpha=0.4).left_out(words, 1, thesaurus, generator("drop", row)) for row in range(400)]
    assert np.mean([len(each) for each in kept]) == pytest.approx(3.0, abs=0.15)
    assert min(map(len, kept)) >= 1


@installed
def test_eda_takes_each_of_its_ways_for_a_quarter_of_the_texts():
    found = texts("eda", p=1)
    lengths = np.array([len(text.split()) - len(before.split()) for text, before in zip(found, PLAIN, strict=True)])
    kept = np.array([sorted(text.split()) == sorted(before.split()) for text, before in zip(found, PLAIN, strict=True)])
    assert np.mean(lengths > 0) == pytest.approx(0.25, abs=0.08), "insertions"
    # Of deletions, those of which no word is left out look like the text itself.
    assert np.mean(lengths < 0) == pytest.approx(0.25 * (1 - 0.9**17), abs=0.08)
    assert np.mean(kept) == pytest.approx(0.25 + 0.25 * 0.9**17, abs=0.08)


def test_without_wordnet_synonyms_are_refused_with_the_remedy(monkeypatch, tmp_path):
    monkeypatch.setattr(wordnet, "DEBIAN", tmp_path / "none")
    monkeypatch.setattr(wordnet, "nltk_folders", list)
    monkeypatch.setattr(wordnet, "wordnet_cache", lambda: tmp_path / "none")
    for name in ("synonyms", "eda"):
        with pytest.raises(ResourceError, match=f"{name} needs WordNet 3.0, which is not installed. Install the Debian package wordnet-base"):
            AUGMENTATIONS.load(name)().begin(fitting(DATA))
        assert make_recipe("full", "text", stages=[{"augment": name}]).missing() == AUGMENTATIONS.load(name)().missing()
    assert make_recipe("eda", "text").missing()
    assert make_recipe("full", "text").missing() == []
