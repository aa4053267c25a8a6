"""Distillation: its teacher, its formula, and what the teacher holds."""

from __future__ import annotations

from dataclasses import field, replace
from typing import ClassVar

import numpy as np
import pytest
import torch
from pydantic.dataclasses import dataclass
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from support.composed import CPU, equal, fitting, minibatch
from support.small import Stripes, Tiny
from torch.nn.functional import cross_entropy

from windtunnel.core.configured import STRICT
from windtunnel.core.network import Network
from windtunnel.core.part import Answer
from windtunnel.errors import RecipeError
from windtunnel.execution.workbench import features
from windtunnel.recipes.losses.cross_entropy import CrossEntropy
from windtunnel.recipes.losses.distillation import Distillation
from windtunnel.recipes.losses.probe import Probe, probed
from windtunnel.recipes.supervised import Supervised

TRAIN = Stripes(noise=0.4).load()["train"]


def test_the_probe_is_scikit_learns_logistic_regression_on_standardised_features():
    found = features(Network(Tiny().load(), 3), TRAIN, CPU)
    scaler = StandardScaler().fit(found.double().numpy())
    theirs = LogisticRegression(C=1.0, tol=1e-8, max_iter=2000).fit(scaler.transform(found.double().numpy()), TRAIN.labels)
    ours = Probe.fitted(found, torch.from_numpy(TRAIN.labels), 3)(found).softmax(1)
    np.testing.assert_allclose(ours, theirs.predict_proba(scaler.transform(found.double().numpy())), atol=2e-3)


def test_a_feature_that_never_varies_does_not_harm_the_probe():
    constant = torch.cat([features(Network(Tiny().load(), 3), TRAIN, CPU), torch.full((60, 1), 3.0)], 1)
    assert torch.isfinite(Probe.fitted(constant, torch.from_numpy(TRAIN.labels), 3)(constant)).all()


@pytest.mark.parametrize("temperature", [1.0, 2.0, 5.0])
def test_the_loss_weighs_labels_and_the_teachers_answer_at_a_temperature(temperature):
    stage = fitting(TRAIN)
    batch, logits = minibatch(TRAIN, range(9)), torch.linspace(-2, 2, 27).view(9, 3)
    found = Distillation(weight=0.3, temperature=temperature).begin(stage)(Answer(logits, logits), batch)
    soft = (probed(stage.origin, TRAIN, CPU)(batch.inputs) / temperature).softmax(1)
    ours = (logits / temperature).softmax(1)
    apart = (soft * (soft.log() - ours.log())).sum(1)
    plain = cross_entropy(logits, batch.labels, reduction="none")
    torch.testing.assert_close(found, 0.7 * plain + 0.3 * temperature**2 * apart, rtol=1e-4, atol=1e-5)


def test_the_teacher_is_the_network_as_it_was_before_anything_moved(work):
    stage = fitting(TRAIN)
    before = probed(stage.origin, TRAIN, CPU)(TRAIN.batch().inputs)
    for parameter in stage.network.parameters():
        parameter.data.add_(1.0)
    criterion = Distillation(weight=1.0, temperature=1.0).begin(stage)
    batch = minibatch(TRAIN, range(60))
    torch.testing.assert_close(criterion(Answer(before, before), batch), torch.zeros(60), rtol=0, atol=1e-5)


def test_a_network_held_to_its_teacher_ends_nearer_to_it_than_one_that_learns_wrong_labels_alone():
    stage = fitting(TRAIN)
    teacher, batch = probed(stage.origin, TRAIN, CPU)(TRAIN.batch().inputs).softmax(1), minibatch(TRAIN, range(60))
    wrong = replace(batch, labels=(batch.labels + 1) % 3)
    agreed = {}
    for weight in (0.0, 0.5, 1.0):
        criterion, logits = Distillation(weight=weight, temperature=1.0).begin(stage), torch.zeros(60, 3, requires_grad=True)
        optimizer = torch.optim.SGD([logits], lr=60.0)
        for _ in range(300):
            optimizer.zero_grad()
            criterion(Answer(logits, logits), wrong).mean().backward()
            optimizer.step()
        agreed[weight] = float((logits.detach().softmax(1) - teacher).abs().max())
    assert agreed[1.0] < 0.02 < agreed[0.5] < agreed[0.0]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Witness(CrossEntropy):
    """Cross-entropy that keeps what each stage says of the start."""

    needs_start: ClassVar[bool] = True
    seen: list = field(default_factory=list)

    def begin(self, fitting):
        self.seen.append((dict(fitting.start), dict(fitting.origin.state_dict()), dict(fitting.network.state_dict())))
        return super().begin(fitting)


def test_every_stage_knows_the_network_before_all_of_them(work):
    witness = Witness()
    Supervised(stages=({"scope": "full"}, {"scope": "full"}), loss=witness, epochs=2, lr=0.05).finetune(work())
    original = Network(Tiny().load(), 3).state_dict()
    for start, origin, _ in witness.seen:
        assert equal(start, original)
        assert equal(origin, original)
    assert not equal(witness.seen[1][2], original)


def test_the_teacher_costs_a_forward_pass_for_each_sample_and_epoch():
    assert Supervised(loss="distillation", epochs=4).passes(10) == 10 * 4 * 3


def test_samples_that_are_mixed_inside_the_network_are_refused():
    stage = fitting(TRAIN)
    batch = replace(minibatch(TRAIN, range(4)), partner=torch.tensor([1, 0, 3, 2]))
    with pytest.raises(RecipeError, match="mixed inside the network"):
        Distillation().begin(stage)(Answer(torch.zeros(4, 3), torch.zeros(4, 3)), batch)
