"""Selection by accuracy under given threats."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from support.members import equal

from windtunnel.core.part import Fitting
from windtunnel.errors import RecipeError
from windtunnel.recipes.judging import measured, robust_accuracy
from windtunnel.recipes.order import validation_batches
from windtunnel.recipes.scopes.whole import Head
from windtunnel.recipes.selection.best import Accurate
from windtunnel.recipes.selection.threats import UnderThreats
from windtunnel.recipes.supervised import Supervised
from windtunnel.threats.corruptions.contrast import Contrast
from windtunnel.threats.gradient.fgsm import FGSM

NOISE = {"use": "gaussian-noise", "severities": [5]}
CONTRAST = {"use": "contrast", "severities": [5]}
BASE = Supervised(epochs=6, batch=16, lr=5e-3)


def test_the_epoch_that_stands_best_against_the_threats_is_kept(work):
    done = dataclasses.replace(BASE, select=UnderThreats(threats=[NOISE])).finetune(work(noise=0.9))
    figures = [epoch.val_robust_accuracy for epoch in done.curves]
    assert done.best_epoch == 1 + int(np.argmax(figures))
    assert len(set(figures)) > 1


def test_training_is_as_without_it(work):
    watched = dataclasses.replace(BASE, select=UnderThreats(threats=[CONTRAST])).finetune(work())
    plain = dataclasses.replace(BASE, select=Accurate()).finetune(work())
    assert equal(watched.last, plain.last)
    assert [epoch.val_accuracy for epoch in watched.curves] == [epoch.val_accuracy for epoch in plain.curves]


def test_a_sample_must_stand_under_all_of_the_threats(work):
    material = work(noise=0.4)
    done = BASE.finetune(work(noise=0.4))

    def share(*threats):
        batches = validation_batches(material.val, material.device)
        fitting = Fitting(done.network, material.train, material.val, 0, material.device, "", 1, 1, {}, batches, lambda loss: None)
        return robust_accuracy(fitting, threats)

    fgsm, contrast = FGSM(eps="32/255"), Contrast(severities=[5])
    both = share(fgsm, contrast)
    assert both <= min(share(fgsm), share(contrast)) < measured(done.network, material.val, material.device).accuracy
    assert both == share(contrast, fgsm)


def test_a_head_on_frozen_features_is_judged_through_the_backbone(work):
    probe = Supervised(scope=Head(), epochs=3, select=UnderThreats(threats=[NOISE]))
    assert not probe.on_features
    assert all(epoch.val_robust_accuracy is not None for epoch in probe.finetune(work()).curves)


def test_it_looks_at_its_threats_and_suits_what_they_change():
    part = UnderThreats(threats=[NOISE, CONTRAST])
    assert [threat.use for threat in part.watched()] == ["gaussian-noise", "contrast"]
    assert part.modalities == ("image",)
    assert UnderThreats(threats=["keyboard-typos"]).modalities == ("text",)
    assert Supervised(select=UnderThreats(threats=[NOISE])).modalities == ("image",)


def test_no_threats_are_refused():
    with pytest.raises(RecipeError, match="empty list"):
        UnderThreats(threats=[])
