"""Every loss of the table in a training: it learns, repeats, works in parts, with mixtures and with soft precision."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from support.composed import equal, largest_gap

from windtunnel.builtins import LOSSES
from windtunnel.core.part import Augmentation, Hooks
from windtunnel.recipes.supervised import Supervised

BATCHWISE = {"group-dro", "supervised-contrastive"}
"""Losses that compare the samples of a batch."""


class Halved(Augmentation):
    """Every sample is mixed half and half with its neighbour."""

    use = "halved"

    def begin(self, fitting):
        return HalvedHooks()


class HalvedHooks(Hooks):
    def augment(self, minibatch):
        share = torch.full((len(minibatch),), 0.5)
        inputs = (minibatch.inputs + minibatch.inputs.roll(1, 0)) / 2
        return replace(minibatch, inputs=inputs, other=minibatch.labels.roll(1), share=share)


def recipe(name: str, **arguments) -> Supervised:
    return Supervised(loss=name, **{"epochs": 12, "batch": 20, "lr": 5e-3} | arguments)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_every_loss_learns_and_a_run_repeated_gives_the_same_bytes(name, work):
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    first, second = recipe(name).finetune(work()), recipe(name).finetune(work())
    assert equal(first.last, second.last)
    assert first.curves == second.curves
    assert torch.equal(before[0], torch.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all()
    assert first.curves[-1].val_accuracy > 0.8


@pytest.mark.parametrize("name", [name for name in LOSSES if name not in BATCHWISE])
def test_a_batch_worked_through_in_parts_is_the_same_to_rounding(name, work):
    # A frozen backbone, as batch norm looks at the samples of a part.
    whole, parts = (recipe(name, scope="head", optimizer="sgd", augment=Halved(), accumulate=count, epochs=2).finetune(work()) for count in (1, 4))
    assert not equal(whole.last, parts.last)
    assert largest_gap(whole.last, parts.last) < 1e-5


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_every_loss_works_with_mixed_labels_in_parts_and_in_short_precision(name, work):
    done = recipe(name, augment=Halved(), accumulate=3, precision="bfloat16").finetune(work())
    assert done.curves[-1].val_accuracy > 0.8


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_every_loss_trains_a_head_on_features_that_are_computed_once_or_says_that_it_cannot(name, work):
    made = recipe(name, scope="head", epochs=60, lr=5e-2)
    assert made.on_features == (name != "distillation")
    assert made.finetune(work()).curves[-1].val_accuracy > 0.8


@pytest.mark.parametrize(
    ("name", "without"),
    [
        ("focal", {"gamma": 0}),
        ("class-balanced", {"beta": 0}),
        ("logit-adjusted", {"tau": 0}),
        ("generalised-cross-entropy", {"q": 0}),
        ("symmetric-cross-entropy", {"alpha": 1, "beta": 0}),
        ("distillation", {"weight": 0}),
        ("supervised-contrastive", {"weight": 0}),
    ],
)
def test_a_loss_without_what_defines_it_is_cross_entropy_to_the_byte(name, without, work):
    plain, none, whole = (recipe(loss, epochs=2).finetune(work(count=50)).last for loss in ("cross-entropy", {"use": name, **without}, name))
    assert equal(plain, none)
    assert not equal(plain, whole)
