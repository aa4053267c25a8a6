"""Group DRO: its step, its groups, and that the worst group is served best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from support.composed import answered, equal, fitting, interrupted, minibatch, of_counts
from torch.nn.functional import cross_entropy

from windtunnel.core.dataset import Dataset
from windtunnel.core.part import Answer
from windtunnel.recipes.losses.group_dro import GroupDRO
from windtunnel.recipes.supervised import Supervised

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.0, 0.0, 0.0], [-3.0, 1.0, 4.0], [1.0, -1.0, 0.0]])


@dataclass(frozen=True)
class Grouped(Dataset):
    """A data set that knows groups."""

    groups: np.ndarray | None = None


def grouped(data: Dataset, groups) -> Grouped:
    return Grouped(data.name, data.classes, data.ids, data.labels, data.store, np.asarray(groups))


def one_step(part: GroupDRO, data: Dataset, rows, logits=LOGITS):
    stage = fitting(data)
    criterion = part.begin(stage)
    batch = minibatch(data, rows)
    found = criterion(Answer(logits, logits), batch)
    return found, cross_entropy(logits, batch.labels, reduction="none"), stage


def test_a_step_is_exponentiated_ascent_and_the_objective_the_weighted_sum_of_group_means():
    data = of_counts(2, 2, 2)
    rows = [0, 1, 2, 4]  # classes 0, 0, 1, 2
    found, plain, stage = one_step(GroupDRO(step=0.5), data, rows)
    means = torch.stack([plain[:2].mean(), plain[2], plain[3]])
    weights = (0.5 * means).exp() / (0.5 * means).exp().sum()
    torch.testing.assert_close(stage.state["group-dro.weights"], weights)
    torch.testing.assert_close(found.mean(), (weights * means).sum())


def test_a_group_that_a_batch_lacks_has_loss_nothing():
    data = of_counts(2, 2, 2)
    _, plain, stage = one_step(GroupDRO(step=0.5), data, [0, 1, 2, 3])
    means = torch.stack([plain[:2].mean(), plain[2:].mean(), torch.zeros(())])
    torch.testing.assert_close(stage.state["group-dro.weights"], (0.5 * means).softmax(0))


def test_the_groups_of_the_data_come_before_its_labels_and_may_have_any_numbers():
    data = grouped(of_counts(2, 2, 2), [7, 3, 7, 3, 3, 3])
    found, plain, stage = one_step(GroupDRO(step=0.5), data, [0, 1, 2, 4])
    means = torch.stack([plain[[1, 3]].mean(), plain[[0, 2]].mean()])
    weights = (0.5 * means).softmax(0)
    torch.testing.assert_close(stage.state["group-dro.weights"], weights)
    torch.testing.assert_close(found.mean(), (weights * means).sum())


def test_the_adjustment_lifts_small_groups_in_the_step_and_not_in_the_objective():
    data = of_counts(4, 1, 1)
    rows = [0, 1, 4, 5]
    _, plain, stage = one_step(GroupDRO(step=0.5, adjustment=2), data, rows)
    means = torch.stack([plain[:2].mean() + 2 / 2, plain[2] + 2, plain[3] + 2])
    torch.testing.assert_close(stage.state["group-dro.weights"], (0.5 * means).softmax(0))


def test_weights_move_once_a_step_however_often_the_loss_is_asked_for():
    data = of_counts(2, 2, 2)
    stage = fitting(data)
    criterion, batch = GroupDRO(step=0.5).begin(stage), minibatch(data, [0, 1, 2, 4])
    criterion(Answer(LOGITS, LOGITS), batch)
    once = stage.state["group-dro.weights"].clone()
    criterion(Answer(LOGITS, LOGITS), batch)
    assert torch.equal(once, stage.state["group-dro.weights"])
    stage.step = 1
    criterion(Answer(LOGITS, LOGITS), batch)
    assert not torch.equal(once, stage.state["group-dro.weights"])


def test_without_a_step_all_groups_weigh_the_same_all_along():
    data = of_counts(4, 1, 1)
    found, plain, stage = one_step(GroupDRO(step=0), data, [0, 1, 4, 5])
    torch.testing.assert_close(stage.state["group-dro.weights"], torch.full((3,), 1 / 3))
    torch.testing.assert_close(found.mean(), torch.stack([plain[:2].mean(), plain[2], plain[3]]).mean())


def test_the_worst_group_ends_with_the_highest_weight_and_a_lower_loss_than_under_cross_entropy():
    """A constant answer to two groups that disagree, nine to one: the average follows the many, group DRO evens them out."""
    data = of_counts(18, 2, 0)
    stage = fitting(data)
    found = {}
    for name, criterion in (("dro", GroupDRO(step=0.05).begin(stage)), ("mean", None)):
        logits = torch.zeros(1, 3, requires_grad=True)
        optimizer = torch.optim.SGD([logits], lr=0.1)
        for stage.step in range(800):
            batch = minibatch(data, range(20))
            answer = answered(logits.expand(20, 3), [0] * 20)[0]
            loss = cross_entropy(answer.logits, batch.labels) if criterion is None else criterion(answer, batch).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        found[name] = logits.softmax(1)[0, :2].detach()
    assert float(found["mean"][1]) == pytest.approx(0.1, abs=0.02)
    assert float(found["dro"][1]) == pytest.approx(0.5, abs=0.05)


def test_a_training_that_goes_on_after_an_interruption_has_the_weights_of_one_that_was_not(work):
    recipe = Supervised(loss={"use": "group-dro", "step": 0.5}, epochs=4, batch=16)
    whole = recipe.finetune(work())
    assert equal(interrupted(recipe, work, after=3).last, whole.last)
    assert not equal(Supervised(epochs=4, batch=16).finetune(work()).last, whole.last)
