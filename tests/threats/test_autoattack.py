import numpy as np
import pyautoattack
import pytest
import torch
import torchattacks
from pydantic import ValidationError
from support.victims import answered, convolutional, images
from torch import nn

from windtunnel.core.batch import Batch
from windtunnel.core.victim import Victim
from windtunnel.threats import autoattack
from windtunnel.threats.autoattack import AutoAttack


def test_the_ensemble_is_the_published_one():
    assert (autoattack.STEPS, autoattack.TARGETS, autoattack.QUERIES, autoattack.RHO) == (100, 9, 5000, 0.75)
    assert AutoAttack().running == ("apgd-ce", "apgd-t", "fab-t", "square")
    assert AutoAttack(variant="rand").running == ("apgd-ce", "apgd-dlr")
    assert AutoAttack(variant="rand").eot == 20
    assert [(AutoAttack(norm=norm).restarts, AutoAttack(norm=norm).targets) for norm in ("Linf", "L2", "L1")] == [(1, 9), (1, 9), (5, 5)]
    assert AutoAttack(norm="L1").running == AutoAttack().running
    assert AutoAttack(norm="L1", variant="rand").restarts == 1
    assert AutoAttack().arguments() == {
        "norm": "Linf",
        "eps": ["8/255"],
        "variant": "standard",
        "members": None,
    }


def test_members_run_in_the_published_order_however_they_are_written():
    assert AutoAttack(members=["fab-t", "apgd-ce"]).members == ("apgd-ce", "fab-t")
    with pytest.raises(ValidationError, match="the list is empty; choose from apgd-ce"):
        AutoAttack(members=[])
    with pytest.raises(ValidationError, match="square is no member of its variant 'rand': apgd-ce, apgd-dlr"):
        AutoAttack(variant="rand", members=["square"])
    with pytest.raises(ValidationError, match="'apgd-ce', 'apgd-dlr', 'apgd-t', 'fab-t' or 'square'"):
        AutoAttack(members=["pgd"])


@pytest.mark.parametrize(
    ("arguments", "classes", "shape", "names"),
    [
        ({}, 10, (3, 32, 32), []),
        ({}, 4, (3, 32, 32), []),
        ({}, 3, (3, 32, 32), ["too-few-classes"]),
        ({"members": ["apgd-ce"]}, 2, (3, 32, 32), ["partial-ensemble"]),
        ({"norm": "L2"}, 10, (1, 28, 28), []),
        ({"norm": "L2"}, 2, (3, 12, 12), ["too-few-classes"]),
        ({"variant": "rand"}, 3, (3, 12, 12), []),
        ({"variant": "rand"}, 2, (3, 12, 12), ["too-few-classes"]),
    ],
)
def test_what_cannot_run_is_said(arguments, classes, shape, names):
    assert [flag.name for flag in AutoAttack(**arguments).cautions(classes, shape)] == names


@pytest.mark.parametrize("classes", [2, 3])
def test_few_classes_are_attacked_by_what_exists_for_them(classes):
    module = convolutional(classes)
    out = AutoAttack(eps="90/255", members=["apgd-ce", "apgd-t", "fab-t"])(Victim(module), answered(module, images(8)))
    assert out.correct.mean() < 1
    assert [flag.name for flag in out.flags] == ["partial-ensemble", "too-few-classes"]


def test_a_member_aims_at_every_class_once_and_at_nine_at_most():
    for classes, rounds in ((5, 4), (12, 9)):
        module = convolutional(classes, gain=1e3)
        victim = Victim(module)
        batch = answered(module, images(1))
        AutoAttack(eps="1/25500", members=["apgd-t"]).perturb(victim, batch, AutoAttack(eps="1/25500").eps[0], 0)
        assert victim.meter.backward == rounds * 100


@pytest.mark.parametrize(("member", "steps"), [("apgd-ce", 5 * 100), ("apgd-t", 5 * 100)])
def test_in_l1_attempts_on_cross_entropy_and_targets_are_five(member, steps):
    threat, victim = AutoAttack(norm="L1", eps="1/25500", members=[member]), Victim(convolutional(12, gain=1e3))
    threat.perturb(victim, answered(victim.network, images(1)), threat.eps[0], 0)
    assert victim.meter.backward == steps
    assert threat.passes() == 1 + 5 * (2 * 100 + 3)


@pytest.mark.parametrize(("variant", "farthest"), [("standard", 3), ("rand", 1)])
def test_in_l1_the_standard_version_starts_at_three_times_the_radius_and_rand_keeps_to_it(variant, farthest):
    module, seen = convolutional(gain=1e3), []
    batch = answered(module, images(1))
    module.register_forward_pre_hook(lambda _, arguments: seen.append(float((arguments[0].detach() - batch.inputs).abs().sum())))
    threat = AutoAttack(norm="L1", eps="1/100", variant=variant, members=["apgd-ce"])
    threat.perturb(Victim(module), batch, threat.eps[0], 0)
    assert max(seen) == pytest.approx(farthest / 100, rel=1e-3)


PARTS = [["apgd-ce"], ["apgd-t"], pytest.param(["fab-t"], marks=pytest.mark.slow), pytest.param(None, marks=pytest.mark.slow)]


@pytest.mark.parametrize("members", PARTS)
def test_in_l1_it_breaks_what_the_published_code_breaks(members):
    module = convolutional()
    batch = answered(module, images(16))
    ours = AutoAttack(norm="L1", eps="0.9", members=members)(Victim(module), batch)
    theirs = pyautoattack.AutoAttack(module, norm="L1", eps=0.9, seed=0, version="standard")
    theirs.attacks_to_run = members or theirs.attacks_to_run
    with torch.random.fork_rng():
        points, _ = theirs.run_standard_evaluation(batch.inputs, batch.labels)
    with torch.no_grad():
        standing = (module(points).argmax(1) == batch.labels).numpy()
    assert 0.2 < standing.mean() < 0.8
    assert (ours.correct[0] != standing).sum() <= 1  # a sample whose boundary lies near the radius


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_it_is_at_least_as_strong_as_ten_steps_of_the_librarys_own(norm):
    module = convolutional()
    batch = answered(module, images(7))
    eps = {"Linf": "5/255", "L2": "0.12"}[norm]
    ours = AutoAttack(norm=norm, eps=eps, members=["apgd-ce", "apgd-t", "fab-t"])(Victim(module), batch)
    # torchattacks.AutoAttack(version="standard") without its last member, which both would share.
    arguments = {"norm": norm, "eps": float(ours.levels[0]), "seed": 0}
    with torch.random.fork_rng():
        members = [
            torchattacks.APGD(module, **arguments),
            torchattacks.APGDT(module, n_classes=10, **arguments),
            torchattacks.FAB(module, multi_targeted=True, n_classes=10, **arguments),
        ]
        theirs = torchattacks.MultiAttack(members)(batch.inputs, batch.labels)
    with torch.no_grad():
        standing = (module(theirs).argmax(1) == batch.labels).numpy()
    assert 0 < ours.correct.mean() < 1
    assert ours.correct.mean() <= standing.mean()


@pytest.mark.slow
@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_the_whole_ensemble_is_at_least_as_strong_as_the_librarys_own(norm):
    module = convolutional()
    batch = answered(module, images(32))
    eps = {"Linf": "5/255", "L2": "0.12"}[norm]
    ours = AutoAttack(norm=norm, eps=eps)(Victim(module), batch)
    with torch.random.fork_rng():
        theirs = torchattacks.AutoAttack(module, norm=norm, eps=float(ours.levels[0]), seed=0)(batch.inputs, batch.labels)
    with torch.no_grad():
        standing = (module(theirs).argmax(1) == batch.labels).numpy()
    assert ours.correct.mean() <= standing.mean()
    assert ours.flags == ()


def test_a_larger_radius_never_leaves_more_standing():
    module = convolutional()
    out = AutoAttack(eps=["2/255", "5/255", "10/255"], members=["apgd-ce"])(Victim(module), answered(module, images(16)))
    assert (np.diff(out.correct.astype(int), axis=0) <= 0).all()
    assert out.correct[0].sum() > out.correct[-1].sum()


class OneWayOut(nn.Module):
    """Eight classes whose logits are constant, but for the sixth likeliest, which follows the brightness."""

    def forward(self, inputs):
        constant = torch.tensor([1.0, 0.99, 0.98, 0.97, 0.96, 0.0, 0.5, 0.4]).expand(len(inputs), 8).clone()
        constant[:, 5] = 0.9 + 8 * (inputs.flatten(1).mean(1) - 0.5)
        return constant


@pytest.mark.parametrize("member", ["apgd-t", "fab-t"])
@pytest.mark.parametrize("norm", ["Linf", "L2", "L1"])
def test_every_class_is_aimed_at_in_its_own_right(member, norm):
    module = OneWayOut().eval()
    batch = Batch(torch.full((2, 1, 8, 8), 0.5), torch.tensor([0, 0]), ("a", "b"))
    # A change of 0.0125 in the mean makes the sixth class win; all pixels together get there, random ones do not.
    enough = {"Linf": "0.02", "L2": "0.16", "L1": "1.28"}[norm]
    out = AutoAttack(norm=norm, eps=enough, members=[member])(Victim(module), batch)
    assert out.predicted[0].tolist() == [5, 5]
    # The five likelier classes came first, in vain; but in L1 the wider radii lift the class into the scale of an earlier one's loss.
    assert out.cost.backward > (2 * 100 if (member, norm) == ("apgd-t", "L1") else 4 * 2 * 100)
