"""Attacks that look for the smallest change, where its size is known or a peer's is."""

import numpy as np
import pytest
import torch
from support.victims import answered, at_distances, convolutional, images, linear

from windtunnel.core.budget import distances
from windtunnel.core.victim import Victim
from windtunnel.threats.minimum.cw import CW
from windtunnel.threats.minimum.ddn import DDN
from windtunnel.threats.minimum.deepfool import DeepFool
from windtunnel.threats.minimum.fab import FAB
from windtunnel.threats.minimum.fmn import FMN
from windtunnel.threats.minimum.hyperplane import towards_hyperplane
from windtunnel.threats.query.hopskipjump import HopSkipJump

DISTANCES = [0.05, 0.1, 0.2, 0.3, 0.4, 0.15]
DUAL = {"Linf": 1, "L2": 2, "L1": float("inf")}


def smallest(module, batch, norm):
    """|f(x)| over the dual norm of the weights."""
    return (module.margin(batch.inputs).abs() / module.weight.norm(p=DUAL[norm])).double().numpy()


# In L1 the box ends single values before the boundary of the further samples is reached, so that the closed form is a bound only.
CLOSE = [
    (DeepFool(norm="L2", eps=9), 1.03),
    (DeepFool(norm="Linf", eps=1), 1.03),
    (FAB(norm="L2", eps=9), 1.03),
    (FAB(norm="Linf", eps=1), 1.03),
    (FAB(norm="L1", eps=60, steps=200), 1.2),
    (DDN(eps=9, steps=300), 1.05),
    (FMN(norm="L2", eps=9), 1.02),
    (FMN(norm="Linf", eps=1), 1.02),
    (FMN(norm="L1", eps=60, steps=300), 1.2),
    (CW(eps=9), 1.02),
    (HopSkipJump(norm="L2", eps=9, queries=4000), 1.15),
    (HopSkipJump(norm="Linf", eps=1, queries=4000), 1.35),
]


@pytest.mark.parametrize(("threat", "slack"), CLOSE, ids=lambda value: f"{value.use}-{value.norm}" if hasattr(value, "use") else "")
def test_the_distance_found_is_the_closed_form_one_and_never_below_it(threat, slack):
    module = linear()
    batch = at_distances(module, "L2", DISTANCES)
    out = threat(Victim(module), batch)
    least = smallest(module, batch, threat.norm)
    assert not out.correct.any()
    assert (out.distance[-1] >= least * (1 - 1e-4) - 1e-6).all()
    assert (out.distance[-1] <= least * slack + 1e-6).all()


@pytest.mark.parametrize("threat", [threat for threat, _ in CLOSE], ids=lambda threat: f"{threat.use}-{threat.norm}")
def test_one_search_answers_every_radius(threat):
    module = linear()
    batch = at_distances(module, "L2", DISTANCES)
    least = np.sort(smallest(module, batch, threat.norm))
    radii = [str(float(least[2]) * 0.9), str(float(least[4]) * 0.9), str(threat.eps[0])]
    once = threat(Victim(module), batch)
    out = type(threat)(**{**threat.arguments(), "eps": radii})(Victim(module), batch)
    assert out.correct.sum(1).tolist() == [4, 2, 0]
    assert out.cost.backward == once.cost.backward
    assert (out.distance[-1] <= once.distance[-1] + 1e-9).all()


def test_samples_whose_boundary_lies_beyond_the_budget_are_given_back():
    module = linear()
    batch = at_distances(module, "L2", DISTANCES)
    for threat in (DeepFool(eps="0.25"), FAB(norm="L2", eps="0.25"), DDN(eps="0.25"), FMN(eps="0.25"), HopSkipJump(eps="0.25")):
        out = threat(Victim(module), batch, keep=True)
        far = [3, 4]
        assert out.correct[0, far].all()
        assert torch.equal(out.perturbed[far], batch.inputs[far])


def test_fewest_values_are_found_where_each_counts_alike():
    """With equal weights, a change of k values by at most 1/2 moves f by at most k |w| / 2."""
    module = linear()
    module.weight = torch.ones(64)
    module.bias = -32.0
    batch = at_distances(module, "Linf", [0.02, 0.04])
    needed = np.ceil((module.margin(batch.inputs).abs() / torch.tensor([0.52, 0.54])).numpy())  # room in each value
    out = FMN(norm="L0", eps=64)(Victim(module), batch)
    assert not out.correct.any()
    assert (out.distance[0] >= needed).all()
    assert (out.distance[0] <= needed + 2).all()


@pytest.mark.parametrize("norm", ["Linf", "L2", "L1"])
def test_the_way_to_a_hyperplane_is_as_short_as_linear_programming_says(norm):
    stream = torch.Generator().manual_seed(0)
    points, normal = torch.rand(40, 12, generator=stream).double(), torch.randn(40, 12, generator=stream).double()
    points[:, :3] = points[:, :3].round()
    offset = (normal * torch.rand(40, 12, generator=stream)).sum(1)  # met inside the box
    found = towards_hyperplane(norm, points, normal, offset)
    torch.testing.assert_close((normal * (points + found)).sum(1), offset, atol=1e-6, rtol=1e-6)
    assert float((points + found).min()) >= -1e-12
    assert float((points + found).max()) <= 1 + 1e-12
    for row in range(40):
        best = shortest(norm, points[row].numpy(), normal[row].numpy(), float(offset[row]))
        size = float(found[row].norm(p={"Linf": float("inf"), "L2": 2, "L1": 1}[norm]))
        assert size == pytest.approx(best, rel=1e-4, abs=1e-6)


def shortest(norm, point, normal, offset):
    from scipy.optimize import linprog, minimize

    n = len(point)
    if norm == "L2":
        bounds = list(zip(-point, 1 - point, strict=True))
        found = minimize(
            lambda d: d @ d,
            np.clip(normal * 0.01, -point, 1 - point),
            jac=lambda d: 2 * d,
            bounds=bounds,
            constraints={"type": "eq", "fun": lambda d: normal @ (point + d) - offset, "jac": lambda d: normal},
            method="SLSQP",
            options={"ftol": 1e-14, "maxiter": 500},
        )
        return found.fun**0.5
    # Changes are up - down; one bound t on all of them in Linf, their sum in L1.
    cost = np.r_[np.zeros(2 * n), 1] if norm == "Linf" else np.r_[np.ones(2 * n), 0]
    bounds = [*((0, 1 - value) for value in point), *((0, value) for value in point), (0, None)]
    limits = np.hstack([np.eye(2 * n), -np.ones((2 * n, 1))]) if norm == "Linf" else None
    found = linprog(
        cost,
        A_ub=limits,
        b_ub=None if limits is None else np.zeros(2 * n),
        A_eq=[np.r_[normal, -normal, 0]],
        b_eq=[offset - normal @ point],
        bounds=bounds,
    )
    return found.fun


@pytest.mark.filterwarnings("ignore:Please import:DeprecationWarning")
@pytest.mark.parametrize("peer", ["ddn", "fmn", "deepfool"])
def test_distances_are_no_larger_than_foolboxs(peer):
    import eagerpy
    import foolbox

    module = convolutional()
    batch = answered(module, images(24))
    ours, theirs = {
        "ddn": (DDN(eps=9), foolbox.attacks.DDNAttack(steps=100)),
        "fmn": (FMN(eps=9), foolbox.attacks.L2FMNAttack(steps=100)),
        "deepfool": (DeepFool(eps=9), foolbox.attacks.L2DeepFoolAttack(steps=50)),
    }[peer]
    found = ours(Victim(module), batch)
    model = foolbox.PyTorchModel(module, bounds=(0, 1), device="cpu")
    _, points, broken = theirs(model, eagerpy.astensor(batch.inputs), eagerpy.astensor(batch.labels), epsilons=[9.0])
    other = distances("L2", batch.inputs, points[0].raw).numpy()
    both = ~found.correct[0] & broken[0].numpy()
    assert both.mean() > 0.9
    assert np.median(found.distance[0][both]) <= np.median(other[both]) * 1.02


def test_queries_stay_within_their_budget():
    module = convolutional()
    batch = answered(module, images(5))
    out = HopSkipJump(eps=9, queries=150, evaluations=20)(Victim(module), batch)
    assert 5 * 100 < out.cost.queries <= 5 * 150
    assert out.cost.backward == 0
