"""A blind threat over pieces gives what it gives over the whole."""

import gc
import weakref

import numpy as np
import pytest
from support.victims import answered, convolutional, images

from windtunnel.core.batch import Batch
from windtunnel.core.streaming import stream
from windtunnel.core.threat import MICRO_BATCH
from windtunnel.core.victim import Victim
from windtunnel.errors import DataError
from windtunnel.threats.clean import Clean
from windtunnel.threats.corruptions.contrast import Contrast
from windtunnel.threats.corruptions.noise import GaussianNoise
from windtunnel.threats.gradient.fgsm import FGSM


def victim():
    found = Victim(convolutional())
    found.classes = ("a", "b", "c", "d")
    return found


def pieces(batch, size=MICRO_BATCH):
    return [(batch.take(range(start, min(start + size, len(batch)))), {}) for start in range(0, len(batch), size)]


@pytest.mark.parametrize("threat", [Clean(), GaussianNoise(severities=[1, 5]), Contrast()])
def test_pieces_give_what_the_whole_gives(threat):
    batch = answered(convolutional(), images(300))
    whole, streamed = threat(victim(), batch, seed=3), stream(threat, victim(), pieces(batch), 3)
    assert streamed.ids == whole.ids
    for name in ("labels", "clean_predicted", "predicted", "confidence", "distance"):
        np.testing.assert_array_equal(getattr(streamed, name), getattr(whole, name))
    assert streamed.cost == whole.cost
    assert streamed.flags == whole.flags
    assert [example.id for example in streamed.examples] == [example.id for example in whole.examples]
    for left, right in zip(streamed.examples, whole.examples, strict=True):
        np.testing.assert_array_equal(left.pair, right.pair)


def test_chance_is_judged_over_all_samples_and_not_over_a_piece():
    batch = answered(convolutional(), images(300))
    labels = batch.labels.clone()
    labels[:100] = (labels[:100] + 1) % 4  # the first pieces are all wrong
    partly = Batch(batch.inputs, labels, batch.ids)
    assert stream(Clean(), victim(), pieces(partly, 50), 0).flags == ()
    wrong = Batch(batch.inputs, (batch.labels + 1) % 4, batch.ids)
    (flag,) = stream(Clean(), victim(), pieces(wrong), 0).flags
    assert flag.name == "chance-level"
    assert "300 samples" in flag.message


def test_an_attack_is_not_streamed_and_nothing_is_no_evaluation():
    with pytest.raises(AssertionError, match="audited over all its samples"):
        stream(FGSM(eps="0.1"), victim(), [], 0)
    with pytest.raises(DataError, match="no samples"):
        stream(Clean(), victim(), [], 0)


def test_earlier_pieces_are_let_go():
    batch = answered(convolutional(), images(40))
    made = []

    def read():
        for start in range(0, 40, 10):
            piece = Batch(batch.inputs[start : start + 10].clone(), batch.labels[start : start + 10], batch.ids[start : start + 10])
            made.append(weakref.ref(piece.inputs))
            yield piece, {}
            gc.collect()
            assert [reference() is None for reference in made[:-1]] == [True] * (len(made) - 1)

    assert len(stream(GaussianNoise(severities=[3]), victim(), read(), 0).ids) == 40
    assert len(made) == 4
