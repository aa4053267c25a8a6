from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import pytest
import torch
from support.victims import convolutional, images
from support.words import Greedy, Spoil, batch, victim

from windtunnel.core.batch import Batch
from windtunnel.core.modalities import MODALITIES
from windtunnel.core.streaming import stream
from windtunnel.core.texts import Texts
from windtunnel.core.victim import Victim
from windtunnel.errors import BudgetError, DataError
from windtunnel.threats.clean import Clean
from windtunnel.threats.gradient.pgd import PGD

SEEN = batch("a good film", "a dull film", "good and great fun", "good great fine lovely")


def test_a_blind_threat_is_evaluated_at_every_level_and_measured_in_words():
    out = Spoil()(victim(), SEEN, keep=True)
    assert out.correct.tolist() == [[False, True, True, True], [False, True, False, True]]
    assert out.distance.tolist() == [[1, 0, 1, 1], [1, 0, 2, 3]]
    assert out.perturbed.plain() == ["a goodx film", "a dull film", "goodx and greatx fun", "goodx greatx finex lovely"]
    assert Spoil().measured_norm == "words"
    first = out.examples[0]
    assert (first.id, first.before, first.after, first.pair.plain()) == ("t0", 1, 0, ["a good film", "a goodx film"])


def test_an_attack_leaves_wrong_samples_alone_and_what_fell_counts_at_larger_levels():
    seen = batch(*SEEN.inputs.plain(), labels=[1, 1, 1, 1])
    out = Greedy(severities=(1, 2))(victim(), seen, keep=True)
    assert out.correct.tolist() == [[False, False, True, True], [False, False, False, True]]
    assert out.distance.tolist() == [[1, 0, 1, 1], [1, 0, 2, 2]]
    assert out.perturbed.plain()[1] == "a dull film"
    # three samples once at level 1, then the two that stood twice at level 2
    assert out.cost.queries == 3 + 2 * 2


def test_pieces_and_stored_copies_give_what_the_whole_gives():
    whole = Spoil()(victim(), SEEN)
    copies = {level: Spoil().perturb(victim(), SEEN, level, 0) for level in Spoil().levels}
    modality = MODALITIES["text"]
    kept = modality.unpack(modality.pack({str(level): texts for level, texts in copies.items()}))
    assert {Fraction(level): texts for level, texts in kept.items()} == copies
    pieces = [(SEEN.take(range(start, start + 2)), {level: texts[start : start + 2] for level, texts in copies.items()}) for start in (0, 2)]
    streamed = stream(Spoil(), victim(), pieces, 0)
    for name in ("predicted", "confidence", "distance"):
        np.testing.assert_array_equal(getattr(streamed, name), getattr(whole, name))


@dataclass(frozen=True)
class Answer(Spoil):
    """A threat that answers with what it was told to."""

    texts: Texts = field(default_factory=lambda: Texts(()))

    def perturb(self, victim, batch, level, seed):
        return self.texts


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Texts.of([("p", "good")], ("premise", "hypothesis"), ("hypothesis",)), "answered with 1 texts of premise, hypothesis for 2 texts"),
        (Texts.of(["good", "bad"]), "answered with 2 texts of text for 2 texts of premise, hypothesis"),
        (torch.zeros(2), "answered with a Tensor"),
        (Texts.of([("p", "x"), ("other", "x")], ("premise", "hypothesis"), ("hypothesis",)), "changed the premise of sample 't1', which is closed"),
        (Texts.of([("p", " \t"), ("q", "x")], ("premise", "hypothesis"), ("hypothesis",)), "a hypothesis of sample 't0' that is empty"),
        (Texts.of([("p", "x"), ("q", "\ud800")], ("premise", "hypothesis"), ("hypothesis",)), "sample 't1' that holds a lone surrogate"),
    ],
)
def test_what_a_threat_answers_is_checked(answer, message):
    seen = batch(("p", "good"), ("q", "bad"), fields=("premise", "hypothesis"), open=("hypothesis",))
    with pytest.raises(BudgetError, match=message):
        Answer(severities=(1,), texts=answer)(victim(), seen)


@pytest.mark.parametrize(("text", "message"), [("", "'t1' has a text that is empty"), ("a\udc80", "lone surrogate .character 1"), (3, "is a int")])
def test_inputs_that_are_no_texts_are_refused_by_sample(text, message):
    with pytest.raises(DataError, match=message):
        Clean()(victim(), Batch(Texts((("good",), (text,))), torch.tensor([1, 0]), ("t0", "t1")))
    with pytest.raises(DataError, match="batch is empty"):
        Clean()(victim(), batch("good").take([]))


def test_a_threat_is_refused_on_inputs_of_another_modality():
    with pytest.raises(DataError, match="pgd changes image inputs, and these are text inputs"):
        PGD(eps="8/255")(victim(), SEEN)
    with pytest.raises(DataError, match="spoil changes text inputs, and these are image inputs"):
        Spoil()(Victim(convolutional()), Batch(images(2), torch.zeros(2, dtype=torch.long), ("a", "b")))


def test_an_example_shows_what_surrounds_the_first_change():
    words = [f"w{place}" for place in range(2000)]
    changed = [*words[:1500], "X", *words[1501:]]
    shown = MODALITIES["text"].portray(Texts.of([" ".join(words), " ".join(changed)]))
    before, after = (side[0] for side in shown["texts"])
    assert shown["fields"] == ["text"]
    assert "w1500" in before
    assert " X " in after
    assert len(before) <= 602
    assert before[0] == before[-1] == "…"
