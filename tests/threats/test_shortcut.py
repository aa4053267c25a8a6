"""The marks of the training condition, on test samples."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from support.victims import images

from windtunnel.conditions.shortcut import Shortcut as Condition
from windtunnel.core.batch import Batch
from windtunnel.core.dataset import Dataset, to_pixels
from windtunnel.core.streaming import stream
from windtunnel.core.texts import Texts
from windtunnel.core.victim import Victim
from windtunnel.errors import DataError
from windtunnel.execution.workbench import perturb_all
from windtunnel.threats.shortcut import Shortcut

COUNT = 300
IDS = tuple(f"s{row}" for row in range(COUNT))
LABELS = np.arange(COUNT, dtype=np.int64) % 4


def batch(shape=(3, 8, 8)) -> Batch:
    return Batch(images(COUNT, shape), torch.from_numpy(LABELS), IDS)


def patch_reader() -> torch.nn.Module:
    """A victim that looks at the four corners and at nothing else: the class of the brightest of them."""

    class Corners(torch.nn.Module):
        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return inputs[:, 0, [0, 0, -1, -1], [0, -1, 0, -1]]

    return Corners().eval()


def test_a_victim_that_sees_nothing_but_the_mark_is_right_where_it_agrees_and_nowhere_else() -> None:
    dark = Batch(torch.zeros(COUNT, 1, 8, 8), torch.from_numpy(LABELS), IDS)
    out = Shortcut(classes=4)(Victim(patch_reader()), dark, seed=5)
    np.testing.assert_array_equal(out.correct[0], out.groups % 2 == 1)
    np.testing.assert_array_equal(out.groups // 2, LABELS)
    assert 0.4 < out.correct.mean() < 0.6
    assert out.flags == ()


def test_the_marks_are_those_of_the_training_condition() -> None:
    pixels = to_pixels(batch().inputs)
    data = Dataset("made", tuple("abcd"), IDS, LABELS, pixels)
    trained = Condition(correlation=0.5, size=3).apply(data, "train", 5)
    out = Shortcut(classes=4, agreement=0.5, size=3)(Victim(patch_reader()), batch(), seed=5, keep=True)
    np.testing.assert_array_equal(to_pixels(out.perturbed), trained.pixels())
    np.testing.assert_array_equal(out.groups, trained.groups)


@pytest.mark.parametrize("agreement", [0, 1])
def test_marks_may_never_or_always_agree(agreement) -> None:
    assert set(Shortcut(classes=4, agreement=agreement)(Victim(patch_reader()), batch()).groups % 2) == {agreement}


def test_pieces_and_stored_copies_give_what_the_whole_gives() -> None:
    threat, victim = Shortcut(classes=4), Victim(patch_reader(), classes=tuple("abcd"))
    whole = threat(victim, batch(), seed=1, keep=True)
    copies = perturb_all(threat, batch(), 1)["1"]
    np.testing.assert_array_equal(copies, to_pixels(whole.perturbed))
    pieces = stream(threat, victim, ((piece, {}) for piece in batch().chunks(70)), 1)
    np.testing.assert_array_equal(pieces.groups, whole.groups)
    np.testing.assert_array_equal(pieces.predicted, whole.predicted)


def test_every_level_of_grey_survives_being_stored_as_eight_bits() -> None:
    levels = torch.arange(256).byte()
    assert torch.equal(levels.float().div(255), torch.tensor([level / 255 for level in range(256)]))


def test_texts_are_marked_in_front_of_their_first_open_field() -> None:
    texts = Texts((("premise", "claim"),) * COUNT, ("first", "second"), ("second",))
    threat = Shortcut(classes=4, agreement=1)
    found = threat.perturb(Victim(patch_reader()), Batch(texts, torch.from_numpy(LABELS), IDS), Fraction(1), 0)
    assert found.rows[:5] == tuple(("premise", f"{mark} claim") for mark in ("zxa", "zxb", "zxc", "zxd", "zxa"))


def test_a_label_beyond_the_classes_is_refused() -> None:
    with pytest.raises(DataError, match="has marks for 3 classes, and a sample is of class 3"):
        Shortcut(classes=3)(Victim(patch_reader()), batch())
