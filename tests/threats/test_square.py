"""What Square proposes, and how near it comes to an optimum that squares can reach."""

import numpy as np
import pytest
import torch
from pyautoattack.square import SquareAttack
from support.victims import Linear, answered, convolutional, images

from windtunnel.core.ball import lengths
from windtunnel.core.batch import Batch
from windtunnel.core.victim import Victim
from windtunnel.seeding import generators
from windtunnel.threats.query.square import Square
from windtunnel.threats.query.squares import Bumps, bump

SIDE = 16
SMALLEST = 0.8 / 512  # share of the last squares; theirs have a side of 3


def test_bumps_in_l1_are_steep_pyramids():
    # One row over two; rings of weight 1 and 1/16 around the middle; each half has half of the mass.
    upper = np.array([[1, 17, 1]]) / 38
    lower = np.array([[1, 1, 1], [1, 17, 1]]) / 44
    np.testing.assert_allclose(bump(3, "L1"), np.concatenate([upper, -lower]), rtol=1e-6)


@pytest.mark.parametrize("norm", ["L2", "L1"])
@pytest.mark.parametrize("side", [2, 3, 4, 5, 7, 8, 13])
def test_bumps_are_those_of_the_published_code(norm, side):
    theirs = SquareAttack(None, norm=norm, eps=1.0, device="cpu").eta(side)  # turned or not, at random
    ours = bump(side, norm)
    assert min(float((theirs - pattern).abs().max()) for pattern in (ours, ours.T)) < 1e-6


@pytest.mark.parametrize(("norm", "power"), [("L2", 2), ("L1", 1)])
def test_a_bump_takes_the_mass_of_two_windows_and_leaves_the_rest(norm, power):
    inputs = torch.full((1, 1, SIDE, SIDE), 0.5)
    proposal = Bumps(norm, inputs, 1.0)
    best = proposal.start(generators(0, "start", ["a"]))
    after = proposal.next(best, torch.tensor([[0.0, 0.0, 0.99, 0.99, 0.2, 0.9]]), SMALLEST)
    old, new = (best - inputs)[0, 0], (after - inputs)[0, 0]
    one, two = np.s_[:3, :3], np.s_[12:15, 12:15]
    assert float(old[two].abs().sum()) > 0
    assert not new[two].any()
    torch.testing.assert_close(new[one].abs().pow(power).sum(), old[one].abs().pow(power).sum() + old[two].abs().pow(power).sum())
    for window in (one, two):
        old[window], new[window] = 0, 0
    torch.testing.assert_close(new, old, rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, SIDE, 12)])
def test_proposals_in_l1_fill_what_ball_and_box_share(shape):
    inputs = torch.cat([torch.full((2, *shape), 0.5), torch.zeros(1, *shape), images(3, shape)])
    ids = [f"s{row}" for row in range(len(inputs))]
    eps, stream = 0.5, torch.Generator().manual_seed(0)
    proposal = Bumps("L1", inputs, eps)
    points = proposal.start(generators(0, "start", ids))
    for query in range(60):
        change = points - inputs
        assert float(points.min()) >= 0
        assert float(points.max()) <= 1
        assert (lengths("L1", change) <= eps * (1 + 1e-5)).all()
        assert (lengths("L1", change)[:2] >= eps * (1 - 1e-5)).all()  # grey has room for all of it
        points = proposal.next(points, torch.rand(len(inputs), proposal.count, generator=stream), 0.8 / 2 ** (query // 6))


def test_square_in_l1_comes_near_an_optimum_that_squares_can_reach_and_never_beats_it():
    # Bright on the left, dark on the right: a bump across the middle changes every value the right way, by eps in all.
    weight = torch.ones(SIDE, SIDE)
    weight[:, SIDE // 2 :] = -1
    module = Linear(weight.flatten(), 0.0).eval()
    ratios, eps = torch.tensor([0.5, 0.7, 0.9, 0.97, 1.01, 1.05, 1.2, 1.5]), 2.0
    signs = torch.tensor([1.0, -1.0]).repeat(4)
    inputs = 0.5 + (signs * ratios * eps / SIDE**2)[:, None, None, None] * weight
    batch = Batch(inputs, (signs > 0).long(), tuple(f"s{row}" for row in range(8)))
    out = Square(norm="L1", eps="2", queries=1500)(Victim(module), batch)
    assert out.correct[0].tolist() == [False] * 4 + [True] * 4


@pytest.mark.parametrize("norm", ["L2", "L1"])
def test_square_breaks_nearly_what_the_published_code_breaks(norm):
    module, eps = convolutional(), {"L2": 0.15, "L1": 1.4}[norm]
    batch = answered(module, images(24))
    ours = Square(norm=norm, eps=str(eps), queries=500)(Victim(module), batch)
    with torch.random.fork_rng():
        theirs = SquareAttack(module, norm=norm, eps=eps, n_queries=500, p_init=0.8, seed=0, device="cpu").perturb(batch.inputs, batch.labels)
    with torch.no_grad():
        standing = (module(theirs).argmax(1) == batch.labels).numpy()
    assert 0.2 < standing.mean() < 0.9
    assert (ours.correct[0] != standing).sum() <= 2
