"""Attacks that follow the gradients of a surrogate."""

import numpy as np
import pytest
import torch
import torchattacks
from pydantic import ValidationError
from support.victims import Detached, answered, convolutional, images

import windtunnel as wt
from windtunnel.builtins import THREATS
from windtunnel.core.victim import Victim
from windtunnel.errors import VictimError
from windtunnel.threats.gradient.momentum import blurred, diverse
from windtunnel.threats.gradient.pgd import PGD
from windtunnel.threats.gradient.transfer import DIFGSM, MIFGSM, NIFGSM, SINIFGSM, TIFGSM

ATTACKS = [MIFGSM, NIFGSM, DIFGSM, TIFGSM, SINIFGSM]


@pytest.mark.parametrize("kind", ATTACKS)
def test_what_a_surrogate_gives_breaks_a_victim_that_hides_its_gradient(kind):
    module = convolutional()
    hidden = Victim(Detached(module).eval())
    batch = answered(module, images(24))
    white = PGD(eps="16/255")(hidden, batch)
    arguments = {"kernel": 3} if kind is TIFGSM else {}
    transferred = kind(surrogate="any + full", **arguments)(hidden, batch, surrogate=Victim(module))
    assert transferred.correct.mean() < white.correct.mean() - 0.2
    assert transferred.cost.backward > 0
    assert "zero-gradients" not in [flag.name for flag in transferred.flags]


@pytest.mark.parametrize(("kind", "peer"), [(MIFGSM, torchattacks.MIFGSM), (NIFGSM, torchattacks.NIFGSM), (SINIFGSM, torchattacks.SINIFGSM)])
def test_the_points_are_those_of_torchattacks(kind, peer):
    module = convolutional()
    batch = answered(module, images(12))
    ours = kind(eps="8/255", step="2/255").perturb(Victim(module), batch, kind().eps[0] / 2, 0)
    theirs = peer(module, eps=8 / 255, alpha=2 / 255, steps=10, decay=1.0)(batch.inputs, batch.labels)
    assert float(((ours - theirs).abs() > 1e-5).float().mean()) < 0.02  # a sign near zero may turn


def test_a_threat_that_names_a_surrogate_is_not_run_without_it():
    module = convolutional()
    with pytest.raises(VictimError, match="follows the surrogate 'a \\+ b', but none was given"):
        MIFGSM(surrogate="a + b")(Victim(module), answered(module, images(2)))


def test_the_python_interface_takes_any_classifier_as_surrogate():
    module = convolutional()
    batch = answered(module, images(8))
    out = wt.evaluate(module, batch.inputs, batch.labels, threat="mi-fgsm", surrogate=convolutional(seed=1))
    own = wt.evaluate(module, batch.inputs, batch.labels, threat="mi-fgsm")
    assert own.correct.mean() <= out.correct.mean()


def test_random_views_are_keyed_by_sample_and_shrink_the_image():
    points = torch.ones(6, 1, 20, 20)
    views = diverse(points, 0, "x", tuple("abcdef"), probability=1.0, smallest=0.5)
    alone = diverse(points[2:3], 0, "x", ("c",), probability=1.0, smallest=0.5)
    torch.testing.assert_close(views[2:3], alone)
    shares = views.mean((1, 2, 3)).sqrt()
    assert (shares < 1).all()
    assert (shares > 0.45).all()
    assert len(set(shares.tolist())) == 6
    assert torch.equal(diverse(points, 0, "x", tuple("abcdef"), probability=0.0, smallest=0.5), points)


def test_smoothing_keeps_a_constant_gradient_away_from_the_border():
    flat = torch.ones(1, 2, 21, 21)
    assert torch.allclose(blurred(flat, 5)[:, :, 3:-3, 3:-3], torch.tensor(1.0))
    spike = torch.zeros(1, 1, 21, 21)
    spike[0, 0, 10, 10] = 1
    assert float(blurred(spike, 5).sum()) == pytest.approx(1)
    assert int((blurred(spike, 5) > 0).sum()) == 25


def test_a_kernel_needs_a_middle():
    with pytest.raises(ValidationError, match="a kernel of 4 pixels has no middle; give an odd side"):
        TIFGSM(kernel=4)


def test_levels_of_a_transfer_attack_are_attacked_each_on_its_own():
    module = convolutional()
    batch = answered(module, images(16))
    threat = THREATS.load("mi-fgsm")(eps=["4/255", "16/255"], surrogate="x + y")
    out = threat(Victim(module), batch, surrogate=Victim(convolutional(seed=1)))
    assert (np.diff(out.correct.astype(int), axis=0) <= 0).all()
