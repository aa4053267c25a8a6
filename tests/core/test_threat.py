from fractions import Fraction
from typing import ClassVar

import numpy as np
import pytest
import torch
from pydantic.dataclasses import dataclass
from support.victims import answered, at_distances, convolutional, images, linear

from windtunnel.core.batch import Batch
from windtunnel.core.configured import STRICT, Radii
from windtunnel.core.flag import Flag
from windtunnel.core.threat import Threat
from windtunnel.core.victim import Victim
from windtunnel.errors import BudgetError, DataError, VictimError


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Push(Threat):
    """Moves every value towards the other class of a linear victim by `eps`, and then does something forbidden."""

    use: ClassVar[str] = "push"
    family: ClassVar = "attack"
    adaptive: ClassVar[bool] = True

    norm: str = "Linf"
    eps: Radii = (Fraction(1, 20),)
    excess: float = 0.0
    spoil: str = ""

    @property
    def levels(self) -> tuple[Fraction, ...]:
        return self.eps

    def passes(self) -> float:
        return 0

    def cautions(self, classes: int, shape: tuple[int, ...]) -> tuple[Flag, ...]:
        return (Flag("seen", f"{classes} classes, inputs {shape}"),)

    def perturb(self, victim, batch, level, seed):
        direction = victim.module.weight.sign().view(batch.inputs.shape[1:])
        signs = 1 - 2 * batch.labels.view(-1, 1, 1, 1)
        changed = (batch.inputs + (float(level) + self.excess) * signs * direction).clamp(0, 1)
        if self.spoil == "range":
            changed[0, 0, 0, 0] = -1e-6
        elif self.spoil == "nan":
            changed[0, 0, 0, 0] = torch.nan
        elif self.spoil == "shape":
            changed = changed[:, :, 1:]
        elif self.spoil == "in place":
            batch.inputs[:] = changed = changed.clone().fill_(0.25)
        return changed


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Invert(Threat):
    """A blind threat: the negative, at every level."""

    use: ClassVar[str] = "invert"
    family: ClassVar = "corruption"
    adaptive: ClassVar[bool] = False

    severities: Radii = (Fraction(1), Fraction(2))

    @property
    def levels(self) -> tuple[Fraction, ...]:
        return self.severities

    def passes(self) -> float:
        return 0

    def perturb(self, victim, batch, level, seed):
        return 1 - batch.inputs


@pytest.fixture
def module():
    return linear()


@pytest.fixture
def batch(module):
    return at_distances(module, "Linf", [0.02, 0.03, 0.04, 0.06, 0.07, 0.2])


def test_accuracy_is_that_of_the_closed_form_at_every_level(module, batch):
    out = Push(eps=["0.025", "0.05", "0.1"])(Victim(module), batch)
    assert out.correct.sum(1).tolist() == [5, 3, 1]
    assert list(out.accuracies.values()) == [5 / 6, 3 / 6, 1 / 6]
    assert out.accuracy.value == 1 / 6
    assert out.accuracy.n == 6


def test_a_sample_broken_at_one_level_is_broken_at_every_larger_one(module, batch):
    out = Push(eps=["0.025", "0.05", "0.1"])(Victim(module), batch)
    assert (np.diff(out.correct.astype(int), axis=0) <= 0).all()
    np.testing.assert_allclose(out.distance[:, 5], [0.025, 0.05, 0.1], atol=1e-6)


def test_misclassified_samples_are_left_byte_equal(module, batch):
    wrong = Batch(batch.inputs, batch.labels.clone(), batch.ids)
    wrong.labels[2] = 1 - wrong.labels[2]
    out = Push(eps="0.05")(Victim(module), wrong, keep=True)
    assert not out.correct[0, 2]
    assert out.perturbed[2].numpy().tobytes() == batch.inputs[2].numpy().tobytes()
    assert out.distance[0, 2] == 0


def test_eps_0_asks_nothing_and_changes_nothing(module, batch):
    out = Push(eps=0)(Victim(module), batch, keep=True)
    assert torch.equal(out.perturbed, batch.inputs)
    assert out.correct.all()
    assert (out.cost.forward, out.cost.backward, out.flags) == (6, 0, ())


@pytest.mark.parametrize("norm", ["Linf", "L2", "L1"])
def test_a_perturbation_a_thousandth_beyond_its_budget_is_refused_by_sample(module, norm):
    threat = Push(norm=norm, eps="0.05", excess=0.001 if norm == "Linf" else 0.05)
    with pytest.raises(BudgetError, match=rf"push at 1/20 moved sample 's\d' by .* in {norm}, more than its budget 0.05"):
        threat(Victim(module), at_distances(module, "Linf", [0.2, 0.2]))


def test_rounding_alone_is_no_reason_to_refuse(module, batch):
    assert Push(eps="0.05", excess=3e-8)(Victim(module), batch).correct.sum() == 3


@pytest.mark.parametrize(
    ("spoil", "message"), [("range", r"left the range \[0, 1\] on sample 's0'"), ("nan", r"left the range \[0, 1\] on sample 's0'")]
)
def test_results_that_are_no_images_are_refused(module, batch, spoil, message):
    with pytest.raises(BudgetError, match=message):
        Push(spoil=spoil)(Victim(module), batch)


def test_another_shape_is_refused(module, batch):
    with pytest.raises(BudgetError, match=r"answered with shape \(6, 1, 7, 8\) for \(6, 1, 8, 8\)"):
        Push(spoil="shape")(Victim(module), batch)


def test_an_attack_cannot_hide_its_change_by_overwriting_what_it_was_given(module, batch):
    before = batch.inputs.clone()
    with pytest.raises(BudgetError, match="more than its budget"):
        Push(spoil="in place")(Victim(module), batch)
    assert torch.equal(batch.inputs, before)


def test_micro_batches_change_neither_verdicts_nor_inputs(module, batch):
    whole, pieces = (Push(eps=["0.025", "0.05"])(Victim(module), batch, micro_batch=size, keep=True) for size in (6, 1))
    assert torch.equal(whole.perturbed, pieces.perturbed)
    np.testing.assert_array_equal(whole.predicted, pieces.predicted)
    assert whole.cost.forward == pieces.cost.forward


def test_every_pass_is_counted_and_samples_that_stand_at_a_larger_radius_are_not_attacked_at_a_smaller_one(module, batch):
    out = Push(eps=["0.025", "0.05", "0.1"])(Victim(module), batch)
    # Clean; all six at 0.1; the projections of all six at 0.05, and of the five that fell the two that stand again; at 0.025 the
    # projections, and two of the three that fell; one that stood at 0.1 is audited at 0.05.
    assert out.cost.forward == 6 + 6 + (6 + 2) + (6 + 2) + 1
    assert (out.cost.backward, out.cost.queries) == (0, 0)


class Stuck(Push):
    """Finds nothing when it may move far."""

    use: ClassVar[str] = "stuck"

    def perturb(self, victim, batch, level, seed):
        return batch.inputs if level > Fraction(6, 100) else super().perturb(victim, batch, level, seed)


def test_an_attack_that_is_weaker_with_more_room_is_caught_and_every_radius_attacked_on_its_own(module, batch):
    out = Stuck(eps=["0.025", "0.05", "0.1"])(Victim(module), batch)
    assert out.correct.sum(1).tolist() == [5, 3, 3]
    (flag,) = (flag for flag in out.flags if flag.name == "larger-budget-does-not-help")
    assert "1 of 2 samples that stood at 1/10 fell at 1/20" in flag.message


class Blunt(Push):
    """Asks for answers only, and never comes as near as it could."""

    use: ClassVar[str] = "blunt"
    black_box: ClassVar[bool] = True
    minimal: ClassVar[bool] = True

    def perturb(self, victim, batch, level, seed):
        victim.logits(batch.inputs)
        return super().perturb(victim, batch, level, seed)


def test_queries_are_those_of_a_black_box_threat_and_a_search_for_the_smallest_change_runs_once(module, batch):
    out = Blunt(eps=["0.025", "0.05", "0.1"])(Victim(module), batch)
    assert out.cost.queries == 6
    assert out.correct.sum(1).tolist() == [5, 3, 1]
    assert out.cost.forward == 6 + 6 + 6 + 6 + 6  # clean, queries, and a verdict at each radius


def test_the_cautions_of_a_threat_come_first_among_the_flags(module, batch):
    assert Push()(Victim(module), batch).flags[0] == Flag("seen", "2 classes, inputs (1, 8, 8)")


def test_blind_threats_change_misclassified_samples_too(module, batch):
    wrong = Batch(batch.inputs, 1 - batch.labels, batch.ids)
    out = Invert()(Victim(module), wrong, keep=True)
    assert torch.equal(out.perturbed, 1 - batch.inputs)
    assert out.correct.all()  # the negative crosses the boundary through 0.5


def test_copies_made_earlier_stand_for_a_blind_threat_and_are_checked(module, batch):
    copies = {Fraction(1): batch.inputs, Fraction(2): 1 - batch.inputs}
    assert Invert()(Victim(module), batch, copies=copies).correct.tolist() == [[True] * 6, [False] * 6]
    with pytest.raises(BudgetError, match=r"invert at 2 left the range \[0, 1\] on sample 's0'"):
        Invert()(Victim(module), batch, copies={**copies, Fraction(2): batch.inputs - 1})
    with pytest.raises(BudgetError, match="answered with shape"):
        Invert()(Victim(module), batch, copies={**copies, Fraction(2): batch.inputs[:3]})


def test_examples_show_broken_samples_first(module, batch):
    out = Push(eps="0.05")(Victim(module), batch)
    assert [(example.id, example.before != example.after) for example in out.examples] == [("s0", True), ("s1", True), ("s2", True), ("s3", False)]
    assert out.examples[0].pair.shape == (2, 8, 8, 1)
    assert out.examples[0].pair.dtype == np.uint8


@pytest.mark.parametrize("value", [1.001, -0.001, float("nan"), float("inf")])
def test_inputs_outside_the_unit_range_are_refused_by_sample(module, batch, value):
    inputs = batch.inputs.clone()
    inputs[3, 0, 2, 2] = value
    with pytest.raises(DataError, match=r"Sample 's3' has values from .*expected \[0, 1\].*normalisation"):
        Push()(Victim(module), Batch(inputs, batch.labels, batch.ids))


def test_integer_inputs_and_empty_batches_are_refused(module, batch):
    with pytest.raises(DataError, match=r"torch.uint8; expected float in \[0, 1\]"):
        Push()(Victim(module), Batch((batch.inputs * 255).byte(), batch.labels, batch.ids))
    with pytest.raises(DataError, match="batch is empty"):
        Push()(Victim(module), batch.take([]))


def test_labels_beyond_the_victims_classes_are_refused(module, batch):
    with pytest.raises(VictimError, match="A label is 2, but victim answers with 2 classes"):
        Push()(Victim(module), Batch(batch.inputs, torch.full_like(batch.labels, 2), batch.ids))


def test_a_victim_put_into_training_mode_afterwards_is_refused():
    module = convolutional()
    victim = Victim(module)
    module.train()
    with pytest.raises(VictimError, match="training mode"):
        Invert()(victim, answered(module, images(2)))
