from fractions import Fraction

import numpy as np
import pytest
import torch
from support.victims import (
    Clipped,
    ConstantGradient,
    Counting,
    Detached,
    Noisy,
    Purifying,
    Quantised,
    Reversed,
    Softmax,
    answered,
    at_distances,
    convolutional,
    images,
    linear,
)

from windtunnel.core.batch import Batch
from windtunnel.core.suspicion import Observation, flags, noise
from windtunnel.core.victim import Victim
from windtunnel.threats.clean import Clean
from windtunnel.threats.gradient.fgsm import FGSM
from windtunnel.threats.gradient.pgd import PGD

PGD_20 = PGD(eps=["2/255", "8/255", "16/255"], steps=20)


def names(module, threat=PGD_20, count=24):
    return [flag.name for flag in threat(Victim(module), answered(module, images(count))).flags]


def test_an_honest_victim_and_a_working_attack_raise_no_flag():
    assert names(convolutional()) == []


@pytest.mark.parametrize("mask", [Quantised, Detached])
def test_masked_gradients_are_flagged(mask):
    found = PGD_20(Victim(mask(convolutional()).eval()), answered(convolutional(), images(24))).flags
    (flag,) = (flag for flag in found if flag.name == "zero-gradients")
    assert "100%" in flag.message or "no gradient" in flag.message


def test_masking_makes_an_attack_look_weaker_than_it_is_which_is_why_it_is_flagged():
    module = convolutional()
    batch = answered(module, images(24))
    honest, masked = (PGD_20(Victim(victim), batch).correct[-1].mean() for victim in (module, Quantised(module).eval()))
    assert masked > honest + 0.2


def test_one_step_on_a_victim_without_gradient_is_the_identity_and_no_error():
    module = Detached(convolutional()).eval()
    out = FGSM(eps="8/255")(Victim(module), answered(module, images(4)), keep=True)
    assert torch.equal(out.perturbed, images(4))
    assert "zero-gradients" in [flag.name for flag in out.flags]


def test_probabilities_instead_of_logits_are_flagged():
    assert "softmax-outputs" in names(Softmax(convolutional()).eval())


def test_outputs_that_are_cut_off_are_flagged():
    assert "clipped-outputs" in names(Clipped(convolutional(gain=50.0)).eval())


@pytest.mark.parametrize("classes", [2, 3, 10])
@pytest.mark.parametrize("seed", range(3))
def test_honest_victims_of_any_kind_raise_no_flag(classes, seed):
    for gain in (2.0, 30.0):
        assert names(convolutional(classes, seed=seed, gain=gain)) == []


def test_a_gradient_that_knows_nothing_of_the_label_is_flagged():
    found = names(ConstantGradient(convolutional()).eval())
    assert "constant-gradients" in found


def test_a_linear_victim_has_a_constant_slope_and_that_is_honest():
    module = linear()
    batch = at_distances(module, "Linf", [0.02, 0.03, 0.04, 0.2] * 3)
    assert PGD_20(Victim(module), batch).flags == ()


def test_a_victim_that_draws_at_random_is_flagged_unless_the_attack_averages_over_draws():
    module = Noisy(convolutional()).eval()
    batch = answered(convolutional(), images(24))
    single, averaged = (PGD(eps="8/255", steps=20, eot=eot)(Victim(module), batch) for eot in (1, 4))
    assert "randomness-without-eot" in [flag.name for flag in single.flags]
    assert "randomness-without-eot" not in [flag.name for flag in averaged.flags]
    assert averaged.cost.backward % 4 == 0


def test_what_a_random_victim_draws_is_keyed_and_leaves_the_global_generator_alone():
    module = Noisy(convolutional()).eval()
    batch = answered(convolutional(), images(24))
    before = torch.get_rng_state()
    first, second = (PGD_20(Victim(module), batch, keep=True) for _ in range(2))
    assert torch.equal(first.perturbed, second.perturbed)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_victim_that_takes_gradients_while_it_answers_is_flagged():
    assert "gradients-in-forward" in names(Purifying(convolutional()).eval())


def test_a_victim_that_no_unbounded_attack_breaks_is_flagged():
    found = names(Reversed(convolutional()).eval())
    assert "unbounded-attack-fails" in found
    assert "noise-does-as-well" in found


def test_an_attack_whose_steps_lead_nowhere_is_flagged():
    module = convolutional()
    batch = answered(module, images(24))
    lost = PGD(eps="16/255", steps=20, step="1/100000", random_start=False)
    assert "more-steps-do-not-help" in [flag.name for flag in lost(Victim(module), batch).flags]


def test_a_victim_whose_state_changes_is_flagged_by_the_buffer():
    module = Counting(convolutional()).eval()
    (flag,) = (flag for flag in PGD_20(Victim(module), answered(module, images(8))).flags if flag.name == "buffers-changed")
    assert "asked" in flag.message


def test_batch_statistics_stay_as_they_were_under_attack():
    module = torch.nn.Sequential(torch.nn.BatchNorm2d(1), convolutional()).eval()
    module[0].running_var.fill_(2.0)
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    assert names(module) == []
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())


def test_an_attack_that_noise_matches_is_flagged():
    module = linear()
    batch = at_distances(module, "Linf", [0.001] * 8 + [0.2] * 8)
    clean = batch.labels.numpy()
    # An attack that broke nothing, where random corners break some of the samples next to the boundary.
    found = flags(Observation(FGSM(eps="0.1"), Victim(module), batch, clean, clean[None], {"weight": module.weight}, 0, 4))
    assert "noise-does-as-well" in [flag.name for flag in found]
    assert "attack 0%" in next(flag.message for flag in found if flag.name == "noise-does-as-well")


@pytest.mark.parametrize(("standing", "flagged"), [([12, 12, 12], True), ([12, 12, 11], False), ([16, 16, 16], False), ([12, 8, 0], False)])
def test_a_larger_budget_that_does_not_help_is_flagged(standing, flagged):
    module = linear()
    batch = at_distances(module, "Linf", [0.2] * 16)
    labels = batch.labels.numpy()
    predicted = np.stack([np.where(np.arange(16) < count, labels, 1 - labels) for count in standing])
    threat = FGSM(eps=["1/255", "2/255", "3/255"])
    found = [flag.name for flag in flags(Observation(threat, Victim(module), batch, labels, predicted, {"weight": module.weight}, 0, 4))]
    assert ("larger-budget-does-not-help" in found) == flagged


@pytest.mark.parametrize("norm", ["Linf", "L2", "L1"])
def test_the_noise_baseline_is_as_long_as_the_budget_and_keyed_by_sample(norm):
    batch = at_distances(linear(), "Linf", [0.01] * 4)
    moved = noise(norm, batch, Fraction(1, 10), 0) - batch.inputs
    size = moved.flatten(1).double().norm(p={"Linf": float("inf"), "L2": 2, "L1": 1}[norm], dim=1)
    np.testing.assert_allclose(size, 0.1, rtol=1e-4)
    alone = noise(norm, batch.take([2]), Fraction(1, 10), 0)
    assert torch.equal(alone[0], noise(norm, batch, Fraction(1, 10), 0)[2])
    assert not torch.equal(alone, noise(norm, batch.take([2]), Fraction(1, 10), 1))


def test_a_wrong_label_map_looks_like_chance_and_is_flagged():
    batch = answered(convolutional(), images(40))
    wrong = Batch(batch.inputs, (batch.labels + 1) % 4, batch.ids)
    flagged = Clean()(Victim(convolutional()), wrong).flags
    assert [flag.name for flag in flagged] == ["chance-level"]
    assert "0.0%" in flagged[0].message
    assert Clean()(Victim(convolutional()), batch).flags == ()
    assert Clean()(Victim(convolutional()), wrong.take(range(10))).flags == ()  # too few to tell


def test_few_right_answers_among_many_classes_are_more_than_chance():
    labels = torch.arange(60) % 30
    logits = torch.zeros(60, 30)
    logits[torch.arange(60), torch.where(torch.arange(60) < 12, labels, 0)] = 1  # a fifth is right, where guessing gives a thirtieth
    batch = Batch(torch.zeros(60, 1, 1, 1), labels, tuple(map(str, range(60))))
    assert Clean()(Victim.of(lambda inputs: logits), batch).flags == ()
