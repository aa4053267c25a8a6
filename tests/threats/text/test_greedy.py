"""Greedy attacks: against a victim that counts words, where the worst case is known."""

from __future__ import annotations

import itertools
import re
import tracemalloc
from fractions import Fraction

import pytest
import torch
from pydantic import ValidationError

from windtunnel.builtins import THREATS
from windtunnel.core.batch import Batch
from windtunnel.core.texts import Texts, changed_words
from windtunnel.core.victim import Victim
from windtunnel.errors import BudgetError, ResourceError
from windtunnel.language import wordnet
from windtunnel.language.stopwords import STOP_WORDS
from windtunnel.language.wordnet import find_wordnet, read
from windtunnel.threats.text.attack import allowed
from windtunnel.threats.text.greedy_typos import slips
from windtunnel.threats.text.greedy_wordnet import _synonyms

WEIGHTS = {"splendid": 3.0, "good": 1.0, "moving": 2.0, "awful": -3.0, "dull": -1.5, "weak": -1.0, "funny": 1.5}
SENTENCES = (
    "A splendid film, moving and funny.",
    "The story is good but weak.",
    "Good actors in a dull, awful story!",
    "Splendid.",
    "It was moving: moving and good and funny and never dull.",
    "An awful, awful waste of a good cast",
    "Weak, dull, and yet moving",
)
installed = pytest.mark.skipif(find_wordnet() is None, reason="WordNet is not installed (Debian: wordnet-base)")


def scores(texts):
    rows = [" ".join([text] if isinstance(text, str) else text) for text in texts]
    found = [sum(WEIGHTS.get(word, 0.0) for word in re.findall(r"[a-z]+", row.lower())) for row in rows]
    return torch.tensor([[-score, score] for score in found])


def batch(texts=SENTENCES):
    return Batch(Texts.of(texts), scores(texts).argmax(1), tuple(f"s{row}" for row in range(len(texts))))


def threat(name, **arguments):
    return THREATS.load(name)(**arguments)


def worst(text, label, share, candidates):
    """Whether any choice of words and of candidates within the share makes the victim err, by trying all."""
    pieces = re.split(r"(\s+)", text)
    options = []
    for piece in pieces:
        letters = max(re.findall(r"[A-Za-z]+", piece), key=len, default="")
        options.append([piece, *(piece.replace(letters, each, 1) for each in (candidates(letters) if letters else ()))])
    most = allowed(share, (text,))
    changed = [[place for place in range(len(pieces)) if len(options[place]) > 1 and letters_matter(pieces[place])]]
    for places in itertools.chain.from_iterable(itertools.combinations(changed[0], count) for count in range(1, most + 1)):
        for choice in itertools.product(*(options[place][1:] for place in places)):
            tried = list(pieces)
            for place, piece in zip(places, choice, strict=True):
                tried[place] = piece
            if int(scores(["".join(tried)]).argmax(1)) != label:
                return True
    return False


def letters_matter(piece):
    return any(word in WEIGHTS for word in re.findall(r"[a-z]+", piece.lower()))


@pytest.mark.parametrize("share", ["1/10", "1/4", "1/2"])
def test_typos_reach_the_worst_case_and_keep_the_share(share):
    given = batch()
    out = threat("greedy-typos", words=share)(Victim.of(scores), given, keep=True)
    for row, (text, label) in enumerate(zip(SENTENCES, given.labels.tolist(), strict=True)):
        # A slip makes any word unknown, so that one candidate stands for all of them.
        expected = worst(text, label, Fraction(share), lambda word: slips(word)[:1])
        assert bool(out.correct[0][row]) == (not expected), text
    moved = [changed_words(before, after) for before, after in zip(SENTENCES, (row[0] for row in out.perturbed), strict=True)]
    assert all(count <= allowed(Fraction(share), (text,)) for count, text in zip(moved, SENTENCES, strict=True))
    assert any(moved)


@installed
@pytest.mark.parametrize("share", ["1/4", "1/2"])
def test_synonyms_reach_the_worst_case(share):
    given = batch()
    out = threat("greedy-wordnet", words=share, candidates=6)(Victim.of(scores), given)
    candidates = _synonyms(read(find_wordnet()), STOP_WORDS["nltk-198"], 6)
    expected = [worst(text, label, Fraction(share), candidates) for text, label in zip(SENTENCES, given.labels.tolist(), strict=True)]
    assert out.correct[0].tolist() == [not each for each in expected]
    assert any(expected)


@pytest.mark.parametrize("name", ["greedy-typos", pytest.param("greedy-wordnet", marks=installed)])
def test_neither_order_nor_size_of_a_batch_changes_a_text(name):
    whole = threat(name)(Victim.of(scores), batch(), keep=True)
    parts = threat(name)(Victim.of(scores), batch(), keep=True, micro_batch=2)
    turned = threat(name)(Victim.of(scores), batch(SENTENCES[::-1]), keep=True)
    assert whole.perturbed == parts.perturbed
    assert whole.perturbed.rows == turned.perturbed.rows[::-1]
    assert whole.attempts == parts.attempts


def test_every_question_is_counted_and_every_attempt_told():
    out = threat("greedy-typos", words="1/2")(Victim.of(scores), batch((*SENTENCES, "nothing")), keep=True)
    asked = sum(attempt.queries for attempt in out.attempts[0])
    assert asked == out.cost.queries
    assert {attempt.status for attempt in out.attempts[0]} == {"succeeded", "failed"}
    assert [attempt.status == "failed" for attempt in out.attempts[0]] == out.correct[0].tolist()


def test_texts_that_are_wrong_already_are_skipped():
    given = batch(SENTENCES[:2])
    labels = torch.tensor([1 - int(given.labels[0]), int(given.labels[1])])
    out = threat("greedy-typos")(Victim.of(scores), Batch(given.inputs, labels, given.ids))
    assert [attempt.status for attempt in out.attempts[0]] == ["skipped", "succeeded"]
    assert out.attempts[0][0].queries == 0
    assert out.attempts[0][1].queries == out.cost.queries > 0


def test_a_closed_field_stays_as_it_is():
    pairs = Texts.of([("splendid and good", "a moving film")], ("premise", "hypothesis"), ("hypothesis",))
    out = threat("greedy-typos")(Victim.of(scores), Batch(pairs, torch.tensor([1]), ("p",)), keep=True)
    assert out.perturbed.rows[0][0] == "splendid and good"
    assert out.perturbed.rows[0][1] != "a moving film"


def test_a_long_text_is_not_copied_once_for_each_of_its_words():
    text = "good " * 3000
    given = Batch(Texts.of([text]), torch.tensor([1]), ("long",))
    victim = Victim.of(lambda texts: torch.tensor([[0.0, 1.0]]).expand(len(texts), 2))
    tracemalloc.start()
    threat("greedy-typos", words="1/3000")(victim, given)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3000 * len(text) / 4, "a quarter of what all copies take"


def test_slips_stay_inside_a_word_and_off_short_ones():
    assert slips("cat") == ()
    assert set(slips("good")) == {"god", "goood"}
    assert all(slip[0] == "m" and slip[-1] == "g" and abs(len(slip) - 6) <= 1 for slip in slips("moving"))


def test_a_share_above_one_is_refused():
    with pytest.raises(BudgetError, match="share of 2"):
        threat("greedy-typos", words=2)
    with pytest.raises(ValidationError, match="colour"):
        threat("greedy-typos", colour="red")


def test_without_wordnet_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setattr(wordnet, "DEBIAN", wordnet.Path("/nowhere"))
    monkeypatch.setattr(wordnet, "nltk_folders", lambda: ())
    with pytest.raises(ResourceError, match=r"greedy-wordnet needs WordNet 3.0, which is not installed\. Install the Debian package wordnet-base"):
        threat("greedy-wordnet")(Victim.of(scores), batch())


@installed
def test_synonyms_are_those_of_a_shared_meaning():
    found = read(find_wordnet())
    assert found.synonyms("movie") == ("film", "picture", "pic", "flick")
    assert found.synonyms("xyzzy") == found.synonyms("two words") == found.synonyms("") == ()
