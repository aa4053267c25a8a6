"""A fine-tuning that was interrupted goes on as if nothing had been, bit for bit."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from windtunnel import make_recipe
from windtunnel.execution.partial import Partial
from windtunnel.execution.store import Store


class Interrupted(Exception):
    pass


def equal(first: dict, second: dict) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


RECIPES = {
    "full": {},
    "lp-ft": {"probe_epochs": 4},
    "pgd-at": {"steps": 2, "average": "ema", "dropout": 0.3},
    "finetune": {"stages": [{"scope": "head", "epochs": 2, "augment": "augmix"}, {"epochs": 3}, {"epochs": 2}], "optimizer": "sgd"},
}


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("stop", [1, 3, 6])
def test_a_run_that_was_stopped_after_any_epoch_ends_as_one_that_was_not(name, stop, work, tmp_path):
    given = {"batch": 16, **({} if name == "finetune" else {"epochs": 4}), **RECIPES[name]}
    recipe = make_recipe(name, **given)
    whole = recipe.finetune(work())
    done = 0

    def stopping(epoch: int, epochs: int) -> None:
        nonlocal done
        done += 1
        if done > stop:
            raise Interrupted

    def interrupted() -> None:
        recipe.finetune(dataclasses.replace(work(), progress=stopping, checkpoint=Partial(Store(tmp_path), "cell", every=0)))

    if len(whole.curves) > stop:
        with pytest.raises(Interrupted):
            interrupted()
    else:
        interrupted()
    seen: list[int] = []
    kept = Partial(Store(tmp_path), "cell", every=0)
    resumed = recipe.finetune(dataclasses.replace(work(), progress=lambda epoch, epochs: seen.append(epoch), checkpoint=kept))
    assert len(seen) == max(0, len(whole.curves) - stop), "what was done before is not done again"
    assert equal(resumed.last, whole.last)
    assert equal(resumed.best, whole.best)
    assert resumed.curves == whole.curves
    assert resumed.best_epoch == whole.best_epoch


def test_a_damaged_file_is_as_good_as_none(work, tmp_path):
    partial = Partial(Store(tmp_path), "cell", every=0)
    partial.write(b"something")
    assert partial.read() == b"something"
    partial.path.write_bytes(partial.path.read_bytes()[:-1])
    assert partial.read() is None
    recipe = make_recipe("full", epochs=2)
    assert equal(recipe.finetune(dataclasses.replace(work(), checkpoint=partial)).last, recipe.finetune(work()).last)


def test_nothing_is_kept_before_the_time_is_over(tmp_path):
    assert not Partial(Store(tmp_path), "cell", every=1000).due()
    assert Partial(Store(tmp_path), "cell", every=0).due()
