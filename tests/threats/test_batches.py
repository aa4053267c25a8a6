"""The batch a sample is evaluated in changes its draws not at all, and its logits by rounding at most."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from support.victims import answered, convolutional, images

from windtunnel.core.victim import Victim
from windtunnel.threats.autoattack import QUERIES, AutoAttack
from windtunnel.threats.gradient.apgd import APGD
from windtunnel.threats.gradient.fgsm import FGSM
from windtunnel.threats.gradient.pgd import PGD
from windtunnel.threats.minimum.cw import CW
from windtunnel.threats.minimum.fab import FAB
from windtunnel.threats.query.square import Square

EPS = {"Linf": "6/255", "L2": "0.15", "L1": "1"}
ATTACKS = [
    FGSM(eps=EPS["Linf"]),
    PGD(eps=EPS["Linf"], steps=10, restarts=2),
    PGD(norm="L2", eps=EPS["L2"], steps=10),
    APGD(eps=EPS["Linf"], steps=20),
    APGD(norm="L2", eps=EPS["L2"], steps=20, loss="dlr", restarts=2),
    APGD(norm="L1", eps=EPS["L1"], steps=20),
    CW(eps=EPS["L2"], steps=20, searches=3),
]


def name(threat):
    return f"{threat.use}-{threat.norm}"


def gap(module, inputs):
    """By how much the first logit leads the second."""
    with torch.no_grad():
        best = module(inputs).double().topk(2).values
    return (best[:, 0] - best[:, 1]).numpy()


@pytest.mark.parametrize("threat", ATTACKS, ids=name)
def test_verdicts_are_the_same_for_batches_of_1_7_and_64_and_for_another_order(threat):
    module = convolutional()
    batch = answered(module, images(14))
    victim = Victim(module)
    order = np.random.default_rng(0).permutation(14)
    whole = threat(victim, batch, micro_batch=64, keep=True)
    others = [threat(victim, batch, micro_batch=size, keep=True) for size in (1, 7)]
    shuffled = threat(victim, batch.take(order.tolist()), keep=True)
    certain = gap(module, whole.perturbed) > 1e-4
    assert 0.1 < whole.correct.mean() < 0.95
    assert certain.sum() >= 12
    for out in others:
        np.testing.assert_array_equal(out.correct[0][certain], whole.correct[0][certain])
    np.testing.assert_array_equal(shuffled.correct[0][certain[order]], whole.correct[0][order][certain[order]])


INSIDE = {"Linf": Fraction(2, 100), "L2": Fraction(15, 100), "L1": Fraction(1)}
MEMBERS = {
    "apgd-t": lambda norm: APGD(norm=norm, loss="dlr", targets=1, steps=8),
    "fab-t": lambda norm: FAB(norm=norm, steps=8, targets=2),
    "square": lambda norm: Square(norm=norm, queries=60),
}


@pytest.mark.parametrize("norm", INSIDE)
@pytest.mark.parametrize("member", MEMBERS)
def test_members_of_the_ensemble_find_the_same_alone_and_in_company(member, norm):
    module = convolutional()
    batch = answered(module, images(12))
    victim = Victim(module)

    def search(rows):
        # Company thins out as samples break, which must not shift the draws of those that stand.
        return MEMBERS[member](norm).perturb(victim, batch.take(rows), INSIDE[norm], 0)

    together = search(list(range(12)))
    fallen = (victim.logits(together).argmax(1) != batch.labels).numpy()
    assert fallen.any()
    assert not fallen.all()
    for row in range(12):
        torch.testing.assert_close(search([row])[0], together[row], rtol=0, atol=1e-5)
    torch.testing.assert_close(search([7, 3, 9]), together[[7, 3, 9]], rtol=0, atol=1e-5)


def test_the_published_number_of_queries_is_asked():
    assert QUERIES == 5000
    victim = Victim.of(lambda inputs: torch.stack([inputs.mean((1, 2, 3)), torch.full((len(inputs),), -9.0)], 1))
    batch = answered(victim.network, images(1))
    victim.meter.forward = 0
    AutoAttack(members=["square"]).perturb(victim, batch, AutoAttack().eps[0], 0)
    assert victim.meter.forward == 1 + 5000  # ranking and queries, the start among them


@pytest.mark.parametrize("threat", [PGD(steps=3), APGD(steps=3)], ids=name)
def test_another_seed_starts_elsewhere(threat):
    module = convolutional()
    batch, victim = answered(module, images(3)), Victim(convolutional())
    first, again, other = (threat.perturb(victim, batch, threat.eps[0], seed) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_small_gradient_moves_a_sample_as_far_in_a_large_batch():
    # Averaged over the batch, gradients of a confident victim would sink into the constant that guards L2 normalisation.
    module = convolutional(gain=1e-7)
    batch = answered(module, images(64))
    victim, threat = Victim(module), PGD(norm="L2", eps="0.2", steps=4, random_start=False)
    whole = threat.perturb(victim, batch, threat.eps[0], 0)
    alone = threat.perturb(victim, batch.take([5]), threat.eps[0], 0)
    torch.testing.assert_close(whole[5], alone[0], rtol=0, atol=1e-5)
