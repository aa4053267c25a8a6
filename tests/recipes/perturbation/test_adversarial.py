"""Adversarial training: the share that is perturbed, the judge, and what a threat needs."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from support.composing import equal, material, start, trained
from support.telling import reading

import windtunnel as wt
from windtunnel.core.network import Network
from windtunnel.core.part import Fitting, Minibatch
from windtunnel.errors import RecipeError, ResourceError
from windtunnel.recipes.perturbation.adversarial import Adversarial

PGD = {"use": "pgd", "eps": "24/255", "steps": 2, "stop_when_broken": False}


def perturbed(share, epoch=1, rows=slice(None)):
    work = material(count=300)
    batch = work.train.batch()
    fitting = Fitting(start(), work.train, work.val, 0, work.device, "full", 3, 9, {}, lambda: iter(()), torch.Tensor.backward, epoch=epoch)
    minibatch = Minibatch(batch.inputs[rows], batch.labels[rows], batch.ids[rows])
    return minibatch, Adversarial(threat=PGD, share=share).begin(fitting).perturb(minibatch)


def changed(share, epoch=1, rows=slice(None)):
    before, after = perturbed(share, epoch, rows)
    assert after.clean is before.inputs
    return (after.inputs != before.inputs).flatten(1).any(1)


def test_the_share_is_that_of_the_samples_others_each_epoch_and_the_same_in_any_batch():
    assert bool(changed(1).all())
    some = changed(0.2)
    assert 0.12 < float(some.float().mean()) < 0.28
    assert not torch.equal(some, changed(0.2, epoch=2))
    assert torch.equal(some[10:50], changed(0.2, rows=slice(10, 50)))


def test_a_share_of_texts_is_perturbed_too(tmp_path):
    work = reading(tmp_path)
    batch = work.train.batch()
    fitting = Fitting(
        Network(work.model, 2), work.train, work.val, 0, work.device, "full", 3, 9, {}, lambda: iter(()), torch.Tensor.backward, epoch=1
    )
    hooks = Adversarial(threat={"use": "upper-case"}, share=0.4).begin(fitting)
    after = hooks.perturb(Minibatch(batch.inputs, batch.labels, batch.ids))
    changed = [new != old for new, old in zip(after.inputs, batch.inputs, strict=True)]
    assert 0.2 < sum(changed) / len(changed) < 0.6
    assert all((new[0] == old[0].upper()) if moved else (new == old) for new, old, moved in zip(after.inputs, batch.inputs, changed, strict=True))


def test_those_that_are_perturbed_are_perturbed_as_all_would_be():
    some, (_, part), (_, whole) = changed(0.5), perturbed(0.5), perturbed(1)
    torch.testing.assert_close(part.inputs[some], whole.inputs[some], rtol=0, atol=1e-6)


def test_an_epoch_is_judged_under_the_judge():
    given = {"epochs": 2, "perturb": {"threat": PGD}}
    own = trained("pgd-at", **given)
    weak = trained("pgd-at", epochs=2, perturb={"threat": PGD, "judge": {"use": "gaussian-noise", "severities": [1]}})
    assert equal(own.last, weak.last)
    assert [epoch.val_robust_accuracy for epoch in own.curves] != [epoch.val_robust_accuracy for epoch in weak.curves]


def test_fgsm_rs_is_one_step_of_five_quarters_of_the_radius_judged_by_more():
    perturb = wt.make_recipe("fgsm-rs", "image").perturb
    assert (perturb.threat.steps, perturb.threat.step, perturb.threat.random_start) == (1, perturb.threat.eps[0] * 5 / 4, True)
    assert (perturb.judged_under().steps, perturb.judged_under().step) == (10, perturb.eps / 4)
    assert wt.make_recipe("fgsm-rs", "image", eps="4/255", step="2/255").perturb.threat.step == Fraction(2, 255)
    step = {"use": "pgd", "norm": "Linf", "eps": "8/255", "steps": 1, "step": "10/255", "random_start": True, "stop_when_broken": False}
    judge = {"use": "pgd", "norm": "Linf", "eps": "8/255", "steps": 10, "step": "2/255"}
    written, preset = trained("pgd-at", epochs=2, perturb={"use": "adversarial", "threat": step, "judge": judge}), trained("fgsm-rs", epochs=2)
    assert equal(written.last, preset.last)
    assert written.curves == preset.curves


@pytest.mark.parametrize("share", [0, 1.1])
def test_a_share_of_nothing_or_more_than_all_is_refused(share):
    with pytest.raises(ValueError, match="share"):
        Adversarial(threat=PGD, share=share)


def test_a_judge_that_changes_nothing_is_refused():
    with pytest.raises(RecipeError, match="at level 0 is training on clean inputs"):
        Adversarial(threat=PGD, judge={"use": "pgd", "eps": 0})


def test_a2t_is_refused_before_its_clean_epoch_where_its_resources_are_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("TA_CACHE_DIR", str(tmp_path))
    recipe = wt.make_recipe("a2t", "text")
    assert [phase.perturb and phase.perturb.share for _, phase in recipe.phases()] == [None, 0.2]
    if not recipe.stages[1].perturb.threat.missing():
        pytest.skip("everything that A2T reads is installed")
    with pytest.raises(ResourceError, match=r"textattack/a2t needs .*which is not installed"):
        recipe.finetune(material())
