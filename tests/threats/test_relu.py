"""A two-layer ReLU network small enough to enumerate: which samples can be broken within a radius is known exactly."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from scipy.optimize import linprog

from windtunnel.builtins import THREATS
from windtunnel.core.batch import Batch
from windtunnel.core.victim import Victim

HIDDEN, SIDES, COUNT = 5, 3, 60
EPS = {"Linf": 0.1, "L1": 0.2}


@pytest.fixture(scope="module")
def network():
    stream = np.random.default_rng(2)
    first, second = stream.normal(size=(HIDDEN, SIDES)), stream.normal(size=(2, HIDDEN))
    # Kinks go through the middle of the cube, where the samples are.
    bias = -first @ stream.uniform(0.3, 0.7, SIDES)
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(SIDES, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, 2))
    with torch.no_grad():
        for layer, weight, offset in ((module[1], first, bias), (module[3], second, np.zeros(2))):
            layer.weight.copy_(torch.from_numpy(weight))
            layer.bias.copy_(torch.from_numpy(offset))
    return module.eval()


@pytest.fixture(scope="module")
def batch(network):
    inputs = torch.rand((COUNT, 1, 1, SIDES), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return Batch(inputs, network(inputs).argmax(1), tuple(f"s{row}" for row in range(COUNT)))


def least_margin(network, point, label, norm, eps):
    """The smallest margin of the label within the ball and the cube: a linear programme for each pattern of active units."""
    weight, bias = (tensor.detach().double().numpy() for tensor in (network[1].weight, network[1].bias))
    output = network[3].weight.detach().double().numpy()
    difference = output[label] - output[1 - label]
    shift = network[3].bias.detach().double().numpy()
    least = np.inf
    # Variables: the point, and in L1 the length of its move along each axis.
    extra = SIDES if norm == "L1" else 0
    low, high = (np.maximum(point - eps, 0), np.minimum(point + eps, 1)) if norm == "Linf" else (np.zeros(SIDES), np.ones(SIDES))
    for pattern in itertools.product((0, 1), repeat=HIDDEN):
        active = np.array(pattern, bool)
        gradient = (difference * active) @ weight
        constant = (difference * active) @ bias + shift[label] - shift[1 - label]
        sign = np.where(active, -1, 1)[:, None]
        rows, limits = [np.hstack([sign * weight, np.zeros((HIDDEN, extra))])], [-(sign[:, 0] * bias)]
        if extra:
            eye = np.eye(SIDES)
            rows += [np.hstack([eye, -eye]), np.hstack([-eye, -eye]), np.hstack([np.zeros(SIDES), np.ones(SIDES)])[None]]
            limits += [point, -point, np.array([eps])]
        bounds = [*zip(low, high, strict=True), *[(0, eps)] * extra]
        found = linprog(np.hstack([gradient, np.zeros(extra)]), np.vstack(rows), np.concatenate(limits), bounds=bounds)
        if found.status == 0:
            least = min(least, found.fun + constant)
    return least


@pytest.fixture(scope="module")
def margins(network, batch):
    points = batch.inputs.flatten(1).double().numpy()
    return {
        norm: np.array([least_margin(network, point, label, norm, eps) for point, label in zip(points, batch.labels.tolist(), strict=True)])
        for norm, eps in EPS.items()
    }


def test_the_enumeration_agrees_with_a_fine_grid(network, batch, margins):
    steps = np.linspace(-1, 1, 21)
    for row in range(8):
        moves = np.array(list(itertools.product(steps, repeat=SIDES)))
        for norm, eps in EPS.items():
            inside = moves if norm == "Linf" else moves[np.abs(moves).sum(1) <= 1]
            points = np.clip(batch.inputs[row].flatten().numpy() + eps * inside, 0, 1)
            with torch.no_grad():
                logits = network(torch.from_numpy(points).float())
            label = int(batch.labels[row])
            assert margins[norm][row] <= float((logits[:, label] - logits[:, 1 - label]).min()) + 1e-5


@pytest.mark.parametrize(
    ("name", "norm", "arguments"),
    [
        ("autoattack", "Linf", {}),
        ("apgd", "Linf", {"restarts": 2}),
        ("pgd", "Linf", {"steps": 60, "restarts": 3}),
        ("apgd", "L1", {"restarts": 4}),
        ("autoattack", "L1", {"members": ["apgd-ce", "apgd-t", "fab-t"]}),
        pytest.param("autoattack", "L1", {}, marks=pytest.mark.slow),
    ],
)
def test_an_attack_breaks_all_that_can_be_broken_and_nothing_else(name, norm, arguments, network, batch, margins):
    found = THREATS.load(name)(norm=norm, eps=str(EPS[norm]), **arguments)(Victim(network), batch, seed=0)
    breakable, robust = margins[norm] < -1e-3, margins[norm] > 1e-4
    assert 10 < breakable.sum() < COUNT - 10
    assert found.correct[-1][robust].all()
    missed = found.correct[-1] & breakable
    assert not missed.any(), f"{missed.sum()} of {breakable.sum()} were not found"


@pytest.mark.parametrize("norm", ["Linf", "L1"])
@pytest.mark.parametrize(("name", "arguments"), [("fab", {"targets": 1}), ("square", {"queries": 2000})])
def test_a_member_of_the_ensemble_alone_breaks_most_of_it_and_nothing_else(name, arguments, norm, network, batch, margins):
    found = THREATS.load(name)(norm=norm, eps=str(EPS[norm]), **arguments)(Victim(network), batch, seed=0)
    assert found.correct[-1][margins[norm] > 1e-4].all()
    assert (~found.correct[-1])[margins[norm] < -1e-3].mean() > 0.6
