"""Reptile: its tasks, the way that weights go, and what is left of it without a step."""

from __future__ import annotations

import numpy as np
import pytest
from support.composing import Plain, accuracy, close, equal, material, start, trained
from support.small import Stripes, Tiny

import windtunnel as wt
from windtunnel.core.named import overridden
from windtunnel.errors import RecipeError
from windtunnel.recipes.meta import samples
from windtunnel.recipes.reptile import Reptile

LABELS = np.repeat(np.arange(6), [30, 30, 30, 30, 30, 3])
STILL = {"epochs": 1, "lr": 1e-30, "weight_decay": 0, "optimizer": "sgd", "batch": 60}


def learned(source=None, seed=0, **arguments):
    recipe = overridden(Reptile(), {"ways": 3, "iterations": 3, "then": {"epochs": 2, "batch": 16}, **arguments})
    return recipe.finetune(material(source, seed))


def test_a_task_is_some_samples_of_some_classes_others_each_time():
    tasks = [samples(Reptile(ways=4, shots=10), LABELS, 0, number) for number in range(20)]
    for rows in tasks:
        counts = np.bincount(LABELS[rows], minlength=6)
        assert (counts > 0).sum() == 4
        assert set(counts) <= {0, 3, 10}
        assert len(set(rows)) == len(rows)
    assert len({tuple(sorted(set(LABELS[rows]))) for rows in tasks}) > 3
    assert tasks == [samples(Reptile(ways=4, shots=10), LABELS, 0, number) for number in range(20)]


def test_without_a_step_it_is_the_fine_tuning_that_follows():
    plain = trained("full").last
    assert equal(learned(step=0).last, plain)
    assert not close(learned(step=1).last, plain)


def test_weights_go_the_part_of_the_way_that_is_asked_for():
    """The fine-tuning that follows stands still, and one task of all samples and one step has a known end."""
    task = {"epochs": 1, "batch": 60, "optimizer": "sgd", "lr": 0.5, "weight_decay": 0}
    given = {"iterations": 1, "shots": 20, "task": task, "then": STILL}
    end = trained("full", Plain(), **task, schedule="constant", warmup=0).last
    begin = start(Plain()).state_dict()
    half, whole = (learned(Plain(), **given, step=step).last for step in (0.5, 1))
    assert close(whole, end, 1e-6)
    assert close(half, {name: (begin[name] + end[name]) / 2 for name in begin}, 1e-6)
    assert not close(half, whole, 1e-4)


def test_the_step_falls_in_a_line():
    task = {"epochs": 1, "batch": 60, "optimizer": "sgd", "lr": 0.02, "weight_decay": 0}
    given = {"shots": 20, "task": task, "then": STILL}
    begin, once = start(Plain()).state_dict(), learned(Plain(), **given, iterations=1, step=0.1).last
    twice = learned(Plain(), **given, iterations=2, step=0.1).last
    name = "head.bias"  # it moves in nearly the same direction in both
    first, both = (once[name] - begin[name]).norm(), (twice[name] - begin[name]).norm()
    assert float(both / first) == pytest.approx(1.5, abs=0.1)


def test_it_learns_and_repeats_byte_for_byte():
    done = learned(iterations=10)
    assert accuracy(done) > 0.8
    assert equal(done.last, learned(iterations=10).last)
    assert not equal(done.last, learned(iterations=10, seed=1).last)
    assert [epoch.stage for epoch in done.curves] == ["full", "full"]


def test_the_first_epoch_gets_further_from_meta_learned_weights():
    plain, meta = trained("full", epochs=1), learned(iterations=30, then={"epochs": 1, "batch": 16})
    assert meta.curves[0].train_loss < plain.curves[0].train_loss


def test_more_ways_than_classes_and_what_cannot_go_on_are_refused():
    with pytest.raises(RecipeError, match=r"A task of 5 classes cannot be made of stripes, which has 3; give `ways` at most 3"):
        wt.finetune(Tiny(), "reptile", Stripes(count=90))
    for argument in ("task", "then"):
        with pytest.raises(RecipeError, match=f"give `{argument}` a recipe of one stage"):
            Reptile(**{argument: wt.make_recipe("lp-ft")})
