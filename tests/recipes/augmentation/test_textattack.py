"""Augmentation by textattack: keyed, the same in every process, and what the package itself makes."""

from __future__ import annotations

import dataclasses
import importlib
import os
import subprocess
import sys

import pytest
from support.augmenting import augmented, fitting, sentences

from windtunnel.builtins import AUGMENTATIONS
from windtunnel.core.texts import Texts
from windtunnel.errors import ResourceError
from windtunnel.language.resources import RESOURCES
from windtunnel.language.textattack import provided
from windtunnel.language.wordnet import find_wordnet
from windtunnel.recipes.augmentation import textattack
from windtunnel.seeding import reseed, scoped

PLAIN = [f"the film number {row} was a very good and happy story about a big car on the road" for row in range(8)]
installed = pytest.mark.skipif(find_wordnet() is None, reason="needs WordNet")

PROGRAM = """
from support.augmenting import augmented, sentences
texts = ["the movie was a happy and big success , a great film", "it is a sad story about a car and a house", "good actors make good plays"]
for name in ("charswap", "eda"):
    print(augmented("textattack-augmenter", sentences(texts), name=name, variants=5, p=1).inputs.rows)
"""


@installed
@pytest.mark.slow
def test_versions_by_textattack_are_the_same_in_every_process():
    """Python's hashes differ from process to process, and with them the order in which the package finds synonyms."""
    outputs = {
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": str(number), "PYTHONPATH": os.pathsep.join(sys.path)},
            check=True, capture_output=True, text=True,
        ).stdout
        for number in (1, 2)
    }  # fmt: skip
    assert len(outputs) == 1
    assert outputs.pop().count("((") == 2


@pytest.mark.parametrize("name", ["charswap", "deletions", "swaps", *(pytest.param(each, marks=installed) for each in ("synonyms", "insertions"))])
def test_versions_by_textattack_are_what_the_package_makes(name):
    few = sentences(PLAIN[:6])
    before = few.texts().plain()
    found = augmented("textattack-augmenter", few, name=name, variants=2, p=1).inputs.plain()
    pairs = [(text.split(), other.split()) for text, other in zip(before, found, strict=True)]
    assert all(words != others for words, others in pairs)
    if name in ("charswap", "synonyms"):
        assert all(len(words) == len(others) and sum(a != b for a, b in zip(words, others, strict=True)) <= 1 for words, others in pairs)
    if name == "deletions":
        assert all(len(words) == len(others) + 1 for words, others in pairs)
    if name == "insertions":
        assert all(len(words) == len(others) - 1 for words, others in pairs)
    if name == "swaps":
        assert all(sorted(words) == sorted(others) for words, others in pairs)


@pytest.mark.parametrize(("name", "kind"), [("charswap", "CharSwapAugmenter"), ("deletions", "DeletionAugmenter")])
def test_versions_are_those_of_the_package_itself_for_the_same_draws(name, kind):
    few = sentences(PLAIN[:4])
    found = augmented("textattack-augmenter", few, name=name, variants=1, p=1, share=0.2, seed=3).inputs.plain()
    with provided("nltk-198"), scoped("peer"):
        peer = getattr(importlib.import_module("textattack.augmentation"), kind)(pct_words_to_swap=0.2)
        for text, row, name_ in zip(few.texts().plain(), found, few.ids, strict=True):
            reseed("textattack-augmenter", 3, name_, "text", 0)
            assert peer.augment(text) == [row]


def test_each_epoch_draws_one_of_the_versions_of_a_text():
    few = sentences(PLAIN[:5])
    hooks = {epoch: augmented("textattack-augmenter", few, name="charswap", variants=2, p=1, epoch=epoch).inputs.plain() for epoch in range(1, 8)}
    for row in range(5):
        assert len({found[row] for found in hooks.values()}) == 2
    assert augmented("textattack-augmenter", few, [3], name="charswap", variants=2, p=1).inputs.plain() == [hooks[1][3]]
    assert augmented("textattack-augmenter", few, name="charswap", variants=2, p=0).inputs.plain() == PLAIN[:5]


def test_closed_fields_are_left_alone_by_textattack():
    pairs = sentences(Texts(((PLAIN[0], PLAIN[1]), (PLAIN[2], "")), ("first", "second"), ("second",)))
    found = augmented("textattack-augmenter", pairs, name="charswap", variants=1, p=1).inputs
    assert [row[0] for row in found] == [PLAIN[0], PLAIN[2]]
    assert found.rows[0][1] != PLAIN[1]
    assert found.rows[1][1] == ""


@pytest.mark.parametrize("name", ["embedding", "clare", "checklist"])
def test_augmenters_that_lack_what_they_read_say_so_before_anything_runs(name, monkeypatch):
    gone = {key: dataclasses.replace(each, found=lambda: False) for key, each in RESOURCES.items()}
    monkeypatch.setattr(textattack, "RESOURCES", gone)
    needed = gone[textattack.KINDS[name].needs[0]]
    with pytest.raises(ResourceError, match=f"textattack-augmenter {name} needs {needed.is_}, which is not installed"):
        AUGMENTATIONS.load("textattack-augmenter")(name=name).begin(fitting(sentences(PLAIN)))
