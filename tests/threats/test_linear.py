"""Attacks on a linear victim with two classes, where the best result is known."""

import numpy as np
import pytest
import torch
from support.victims import at_distances, linear

from windtunnel.core.batch import Batch
from windtunnel.core.victim import Victim
from windtunnel.threats.autoattack import AutoAttack
from windtunnel.threats.gradient.apgd import APGD
from windtunnel.threats.gradient.fgsm import FGSM
from windtunnel.threats.gradient.pgd import PGD
from windtunnel.threats.minimum.cw import CW

EPS = {"Linf": "0.05", "L2": "0.5", "L1": "0.2"}
DUAL = {"Linf": 1, "L2": 2, "L1": float("inf")}
RATIOS = [0.3, 0.8, 0.95, 0.99, 1.01, 1.05, 1.2, 2.0]
"""Distance of each sample to the boundary, in units of eps: half of them can be broken."""

ATTACKS = [
    FGSM(eps=EPS["Linf"]),
    PGD(norm="Linf", eps=EPS["Linf"]),
    PGD(norm="L2", eps=EPS["L2"], random_start=False),
    PGD(norm="L2", eps=EPS["L2"], steps=100, step="0.02", restarts=2),
    APGD(norm="Linf", eps=EPS["Linf"]),
    APGD(norm="L2", eps=EPS["L2"]),
    CW(eps=EPS["L2"]),
    AutoAttack(norm="Linf", eps=EPS["Linf"], members=["fab-t"]),
    AutoAttack(norm="L2", eps=EPS["L2"], members=["apgd-ce", "fab-t"]),
    AutoAttack(norm="L1", eps=EPS["L1"], members=["apgd-ce", "fab-t"]),
]


def name(threat):
    return f"{threat.use}-{threat.norm}-{threat.arguments().get('restarts', '')}"


def setting(norm, scale=1.0):
    module = linear(scale)
    batch = at_distances(module, norm, [ratio * float(EPS[norm]) for ratio in RATIOS])
    return module, batch


def closed_form(module, batch, norm, eps):
    """Which samples stand: y f(x) > eps * the dual norm of the weights."""
    margins = (2 * batch.labels - 1) * module.margin(batch.inputs)
    return (margins > eps * module.weight.norm(p=DUAL[norm])).numpy()


@pytest.mark.parametrize("scale", [0.1, 1.0, 5.0])
@pytest.mark.parametrize("threat", ATTACKS, ids=name)
def test_attacks_reach_the_optimum_and_none_beats_it(threat, scale):
    module, batch = setting(threat.norm, scale)
    out = threat(Victim(module), batch)
    expected = closed_form(module, batch, threat.norm, float(EPS[threat.norm]))
    assert expected.tolist() == [False] * 4 + [True] * 4
    np.testing.assert_array_equal(out.correct[0], expected)
    assert [flag.name for flag in out.flags if flag.name != "partial-ensemble"] == []


@pytest.mark.parametrize("norm", ["Linf", pytest.param("L1", marks=pytest.mark.slow)])
def test_the_whole_autoattack_reaches_the_optimum_on_two_classes_and_says_what_it_left_out(norm):
    module, batch = setting(norm)
    out = AutoAttack(norm=norm, eps=EPS[norm])(Victim(module), batch.take([1, 3, 4, 6]))
    assert out.correct[0].tolist() == [False, False, True, True]
    assert [flag.name for flag in out.flags] == ["too-few-classes"]
    assert "2 classes" in out.flags[0].message


def test_square_approaches_the_optimum_from_above():
    module, batch = setting("Linf")
    out = AutoAttack(eps=EPS["Linf"], members=["square"])(Victim(module), batch)
    assert out.correct[0, 4:].all()  # never beats it
    assert not out.correct[0, 0]


FEW = [PGD(norm="L2", eps="0.5"), APGD(norm="L2", eps="0.5", steps=10), APGD(norm="L1", eps="0.2", steps=2), APGD(norm="L1", eps="0.2", steps=20)]


@pytest.mark.parametrize("threat", FEW, ids=lambda threat: f"{name(threat)}-{threat.steps}")
def test_few_steps_never_beat_the_optimum(threat):
    module, batch = setting(threat.norm)
    assert (threat(Victim(module), batch).correct[0] | ~closed_form(module, batch, threat.norm, float(threat.eps[0]))).all()


def test_a_run_in_l1_ends_on_the_two_steepest_values():
    # As many values move as two thirds of those changed at best, rounded up: two stay two.
    module = linear()
    steepest, second = module.weight.abs().topk(2).values
    share = float((steepest + second) / (2 * steepest))
    batch = at_distances(module, "L1", [ratio * share * 0.2 for ratio in (0.7, 0.8, 0.9, 0.98)])
    assert not APGD(norm="L1", eps="0.2", restarts=5)(Victim(module), batch).correct.any()


@pytest.mark.parametrize("steps", [10, 40])
def test_projected_steps_from_a_random_start_converge_on_the_l2_optimum(steps):
    module, batch = setting("L2")
    near = PGD(norm="L2", eps="0.5", steps=steps)(Victim(module), batch)
    assert not near.correct[0, :3].any()  # all but the last hundredth


@pytest.mark.parametrize("distance", [0.1, 0.4])
def test_cw_finds_the_smallest_l2_change_and_no_smaller_one(distance):
    module = linear()
    batch = at_distances(module, "L2", [distance])
    assert not CW(eps=str(1.01 * distance))(Victim(module), batch).correct.any()
    assert CW(eps=str(0.99 * distance), searches=2)(Victim(module), batch).correct.all()


def test_cw_moves_black_and_white_pixels():
    module = linear()
    inputs = (module.weight > 0).float().view(1, 1, 8, 8)  # nothing but black and white, and as far inside class 1 as can be
    module.bias = float(0.1 - module.margin(inputs)[0] + module.bias)
    batch = Batch(inputs, torch.tensor([1]), ("s0",))
    smallest = 0.1 / float(module.weight.norm())  # every pixel may move inwards, so that the box does not bind
    assert not CW(eps=str(1.2 * smallest))(Victim(module), batch).correct.any()


def test_cw_gives_back_the_clean_input_of_what_lies_beyond_its_budget():
    module, batch = setting("L2")
    out = CW(eps="0.5")(Victim(module), batch, keep=True)
    assert torch.equal(out.perturbed[4:], batch.inputs[4:])
    assert (out.distance[0, :4] > 0).all()


@pytest.mark.parametrize("threat", [FGSM, PGD, APGD, AutoAttack])
def test_accuracy_falls_with_the_radius_as_the_closed_form_says(threat):
    module = linear()
    batch = at_distances(module, "Linf", [0.01, 0.03, 0.05, 0.07])
    arguments = {"members": ["apgd-ce"]} if threat is AutoAttack else {}
    out = threat(eps=["0", "0.02", "0.04", "0.06", "0.08"], **arguments)(Victim(module), batch)
    assert out.correct.mean(1).tolist() == [1, 0.75, 0.5, 0.25, 0]


@pytest.mark.parametrize("steps", [1, 2, 4, 5, 10, 100])
def test_a_run_in_l1_takes_its_steps_at_three_radii_and_looks_at_the_end_of_each(steps):
    module, batch = setting("L1")
    far = batch.take([7])
    out = APGD(norm="L1", eps="0.2", steps=steps)(Victim(module), far)
    assert out.correct.all()
    assert out.cost.backward == steps
    looks = 1 if steps < 3 else 3
    assert out.cost.forward == 1 + steps + looks + 1  # clean, steps and looks, verdict


@pytest.mark.parametrize(
    "threat", [FGSM(eps="0.05"), PGD(eps="0.05", steps=7), PGD(norm="L2", eps="0.5", steps=9), APGD(eps="0.05", steps=11)], ids=name
)
def test_passes_are_counted_exactly_and_as_planned(threat):
    module, batch = setting(threat.norm)
    wrong = batch.take(range(8))
    wrong.labels[0] = 1 - wrong.labels[0]
    out = threat(Victim(module), wrong)
    steps = getattr(threat, "steps", 1)
    assert threat.passes() == 2 * steps + (threat.use == "apgd")
    assert out.correct.sum() == 4
    # Four samples stand and take all steps; the three others leave on the way, where the attack looks for that.
    last = 4 if threat.use == "apgd" else 0
    assert 4 * steps + 3 <= out.cost.backward <= 7 * steps
    assert out.cost.forward == 8 + out.cost.backward + last + 7  # clean, attack on the seven that are right, verdict


def test_in_adversarial_training_every_sample_takes_every_step():
    module, batch = setting("Linf")
    out = PGD(eps="0.05", steps=5, stop_when_broken=False)(Victim(module), batch)
    assert out.cost.backward == 5 * 8
    assert out.correct.sum() == 4


def test_restarts_run_on_survivors_only():
    module, batch = setting("Linf")
    out = PGD(eps="0.05", steps=5, restarts=3)(Victim(module), batch)
    once = PGD(eps="0.05", steps=5)(Victim(module), batch)
    # Four fall in the first attempt: the second and third, and the second's check, see the other four.
    assert out.cost.backward == once.cost.backward + 5 * (4 + 4)
    assert out.cost.forward == out.cost.backward + 8 + (4 + 4) + 8


@pytest.mark.parametrize("threat", [PGD(eps="0.05", steps=3), APGD(eps="0.05", steps=3), AutoAttack(eps="0.05", members=["fab-t"])], ids=name)
def test_victims_and_inputs_are_as_before(threat):
    module, batch = setting("Linf")
    module.bias_parameter = torch.nn.Parameter(torch.zeros(1))
    victim = Victim(module)
    before = batch.inputs.clone()
    threat(victim, batch)
    assert torch.equal(batch.inputs, before)
    assert not batch.inputs.requires_grad
    assert not any(part.training for part in victim.network.modules())
    assert module.bias_parameter.grad is None
    assert module.bias_parameter.requires_grad
