"""What all perturbed training on images has in common."""

from __future__ import annotations

import pytest
from support.composing import Plain, accuracy, close, equal, trained

from windtunnel.errors import RecipeError

EPS, STEP = "32/255", "8/255"
PRESETS = {
    "pgd-at": {"eps": EPS},
    "fgsm-rs": {"eps": EPS},
    "trades": {"eps": EPS, "step": STEP},
    "mart": {"eps": EPS, "step": STEP},
    "free-at": {"eps": EPS, "replays": 4},
    "awp": {"eps": EPS},
    "trades-awp": {"eps": EPS, "step": STEP},
    "advprop": {"eps": EPS, "step": STEP},
}


@pytest.fixture(scope="module")
def ordinary():
    return accuracy(trained("full", epochs=12), "pgd", eps=EPS)


@pytest.mark.parametrize("preset", PRESETS)
def test_it_learns_and_is_more_robust_than_ordinary_fine_tuning(preset, ordinary):
    done = trained(preset, **PRESETS[preset], epochs=48 if preset == "free-at" else 12)
    assert accuracy(done) > 0.8
    assert accuracy(done, "pgd", eps=EPS) > ordinary + 0.1


@pytest.mark.parametrize("preset", PRESETS)
def test_a_run_repeated_gives_the_same_bytes_and_another_seed_others(preset):
    first, again, other = (trained(preset, **PRESETS[preset], seed=seed) for seed in (0, 0, 1))
    assert equal(first.last, again.last)
    assert first.curves == again.curves
    assert not equal(first.last, other.last)


@pytest.mark.parametrize("preset", [name for name in PRESETS if name != "advprop"])
def test_a_batch_in_parts_agrees_to_rounding_where_nothing_normalises_by_it(preset):
    whole, parts = (trained(preset, Plain(), **PRESETS[preset], epochs=1, accumulate=count, optimizer="sgd", lr=0.05) for count in (1, 3))
    assert close(whole.last, parts.last)
    assert not equal(whole.last, trained("full", Plain(), epochs=1, optimizer="sgd", lr=0.05).last)


def test_advprop_in_parts_counts_each_part_by_its_share():
    """Above a frozen backbone, whose batch norms look at no batch."""
    given = {"scope": "head", "epochs": 1, "optimizer": "sgd", "lr": 0.05, **PRESETS["advprop"]}
    whole, parts = (trained("advprop", **given, accumulate=count) for count in (1, 3))
    assert close(whole.last, parts.last, 1e-6)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_radius_of_zero_is_refused(preset):
    with pytest.raises((RecipeError, ValueError), match=r"above 0"):
        trained(preset, **{**PRESETS[preset], "eps": 0})


@pytest.mark.parametrize("preset", ["pgd-at", "mart", "advprop"])
def test_any_threat_on_images_can_be_the_one_that_perturbs(preset):
    foggy = trained(preset, perturb={"threat": {"use": "fog", "severities": [2]}, "judge": {"use": "fog", "severities": [2]}}, epochs=1)
    assert not equal(foggy.last, trained("full", epochs=1).last)
    assert foggy.curves[0].val_robust_accuracy is not None
