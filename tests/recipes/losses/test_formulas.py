"""Losses of logits and labels against closed forms and against what others compute."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from support.composed import answered, fitting, of_counts
from torch.nn.functional import cross_entropy
from torchvision.ops import sigmoid_focal_loss

from windtunnel.errors import RecipeError
from windtunnel.recipes.losses.class_balanced import ClassBalanced
from windtunnel.recipes.losses.focal import Focal
from windtunnel.recipes.losses.logit_adjusted import LogitAdjusted
from windtunnel.recipes.losses.noise_robust import GeneralisedCrossEntropy, SymmetricCrossEntropy

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.0, 0.0, 0.0], [-3.0, 1.0, 4.0], [9.0, -9.0, 0.0]])
LABELS = (0, 2, 1, 0)
P = LOGITS.softmax(1)[range(4), LABELS]


def losses(part, logits=LOGITS, labels=LABELS, train=None):
    return part.begin(fitting(train))(*answered(logits, labels))


def test_focal_loss_is_that_of_torchvision_where_two_classes_make_a_softmax_a_sigmoid():
    x = torch.linspace(-6, 6, 13)
    for gamma in (0.5, 1.0, 2.0, 5.0):
        ours = losses(Focal(gamma=gamma), torch.stack([torch.zeros(13), x], 1), [1] * 13)
        torch.testing.assert_close(ours, sigmoid_focal_loss(x, torch.ones(13), alpha=-1, gamma=gamma))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_loss_has_a_finite_gradient_where_the_probability_is_one(gamma):
    logits = torch.tensor([[200.0, 0.0, 0.0], [-200.0, 0.0, 0.0]], requires_grad=True)
    losses(Focal(gamma=gamma), logits, (0, 0)).sum().backward()
    assert torch.isfinite(logits.grad).all()
    assert logits.grad[1, 0] < -0.9


def test_class_balanced_weights_are_those_of_the_effective_number_and_sum_to_the_number_of_classes():
    weights = losses(ClassBalanced(beta=0.9), torch.zeros(3, 3), (0, 1, 2), of_counts(20, 5, 1)) / math.log(3)
    effective = np.array([(1 - 0.9**n) / (1 - 0.9) for n in (20, 5, 1)])
    np.testing.assert_allclose(weights, 3 / effective / (1 / effective).sum(), rtol=1e-6)
    assert float(weights.sum()) == pytest.approx(3)
    assert effective[2] == pytest.approx(1), "one sample is worth one"


def test_class_balanced_weights_near_one_are_the_inverse_frequencies_of_scikit_learn():
    data = of_counts(12, 4, 2)
    weights = losses(ClassBalanced(beta=1 - 1e-9), torch.zeros(3, 3), (0, 1, 2), data)
    theirs = compute_class_weight("balanced", classes=np.arange(3), y=data.labels)
    np.testing.assert_allclose(weights / weights.sum(), theirs / theirs.sum(), rtol=1e-5)


def test_class_balanced_weighs_any_loss_of_logits_and_refuses_others():
    data = of_counts(12, 4, 2)
    focal, plain = (losses(ClassBalanced(loss=loss), train=data) for loss in ("focal", "cross-entropy"))
    torch.testing.assert_close(focal / plain, losses(Focal()) / losses(Focal(gamma=0)))
    for loss in ("distillation", "class-balanced"):
        with pytest.raises(RecipeError, match=f"cannot weigh {loss}"):
            ClassBalanced(loss=loss)


def test_a_class_that_does_not_occur_takes_no_weight_from_the_others():
    weights = losses(ClassBalanced(), torch.zeros(2, 3), (0, 1), of_counts(6, 2, 0)) / math.log(3)
    assert float(weights.sum()) == pytest.approx(2)


def test_logit_adjustment_is_a_softmax_weighted_by_the_classes_shares():
    shares = torch.tensor([20.0, 5.0, 1.0]) / 26
    for tau in (1.0, 0.5):
        weighted = shares.pow(tau) * LOGITS.exp()
        expected = -(weighted / weighted.sum(1, keepdim=True))[range(4), LABELS].log()
        torch.testing.assert_close(losses(LogitAdjusted(tau=tau), train=of_counts(20, 5, 1)), expected)


def test_logit_adjustment_keeps_a_class_that_does_not_occur_out_of_the_competition():
    found = losses(LogitAdjusted(), train=of_counts(6, 6, 0), labels=(0, 1, 1, 0))
    torch.testing.assert_close(found, cross_entropy(LOGITS[:, :2], torch.tensor([0, 1, 1, 0]), reduction="none"))


def test_logit_adjustment_undoes_the_imbalance_that_cross_entropy_learns(work):
    """One feature-less input: the best cross-entropy answer is the prior, the adjusted one the uniform distribution."""
    logits = torch.zeros(1, 3, requires_grad=True)
    data = of_counts(20, 5, 1)
    criterion = LogitAdjusted().begin(fitting(data))
    optimizer = torch.optim.LBFGS([logits], max_iter=100, line_search_fn="strong_wolfe")
    labels = torch.from_numpy(data.labels)

    def closure():
        optimizer.zero_grad()
        loss = criterion(*answered(logits.expand(26, 3), labels.tolist())).mean()
        loss.backward()
        return loss

    optimizer.step(closure)
    torch.testing.assert_close(logits.softmax(1).detach(), torch.full((1, 3), 1 / 3), rtol=1e-3, atol=1e-3)


def test_generalised_cross_entropy_is_the_box_cox_transform_with_its_two_limits():
    torch.testing.assert_close(losses(GeneralisedCrossEntropy()), (1 - P**0.7) / 0.7)
    torch.testing.assert_close(losses(GeneralisedCrossEntropy(q=1)), 1 - P)
    torch.testing.assert_close(losses(GeneralisedCrossEntropy(q=1e-4)), -P.log(), rtol=2e-3, atol=1e-6)


def test_symmetric_cross_entropy_adds_the_cross_entropy_of_label_to_answer():
    reverse = -(LOGITS.softmax(1) * torch.where(torch.nn.functional.one_hot(torch.tensor(LABELS), 3) > 0, 0.0, -4.0)).sum(1)
    torch.testing.assert_close(losses(SymmetricCrossEntropy()), -0.1 * P.log() + reverse)
    torch.testing.assert_close(losses(SymmetricCrossEntropy(alpha=6, beta=0.1, floor=-6)), -6 * P.log() + 0.1 * 1.5 * reverse)


@pytest.mark.parametrize("part", [GeneralisedCrossEntropy(q=1), SymmetricCrossEntropy(alpha=0)])
def test_robust_terms_are_symmetric_which_makes_them_hold_against_evenly_wrong_labels(part):
    """Summed over all labels they are the same for every answer (Ghosh et al. 2017, arXiv 1712.09482, theorem 1)."""
    summed = torch.stack([losses(part, labels=[label] * 4) for label in range(3)]).sum(0)
    torch.testing.assert_close(summed, summed[:1].expand(4))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Focal(gamma=-1), "gamma"),
        (lambda: ClassBalanced(beta=1), "beta"),
        (lambda: GeneralisedCrossEntropy(q=1.5), "q"),
        (lambda: SymmetricCrossEntropy(floor=0), "floor"),
    ],
)
def test_arguments_out_of_range_are_refused(make, told):
    with pytest.raises(ValueError, match=told):
        make()
