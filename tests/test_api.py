"""The Python interface, as the README shows it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

import windtunnel as wt
from windtunnel.errors import BudgetError, DataError, UnknownNameError, WindtunnelError


@pytest.fixture(scope="module")
def victim() -> wt.Victim:
    return wt.finetune(model="windtunnel/micro-resnet", recipe="linear-probe", data="digits", seed=0, epochs=20)


@pytest.fixture(scope="module")
def batch() -> wt.Batch:
    return wt.load_data("digits", "test").take(range(40))


def test_importing_the_package_loads_neither_torch_nor_numpy():
    script = (
        "import sys, windtunnel; assert not {'torch', 'numpy', 'pydantic'} & sys.modules.keys(); windtunnel.Budget; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_every_public_name_resolves():
    assert all(getattr(wt, name) is not None for name in wt.__all__)
    assert set(wt.__all__) <= set(dir(wt))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        wt.nonsense  # noqa: B018  # looking it up is the test


def test_a_fine_tuned_victim_is_a_plain_module_from_unit_range_to_logits(victim, batch):
    assert isinstance(victim.module, torch.nn.Module)
    logits = victim.module(batch.inputs)
    assert logits.shape == (40, 10)
    assert victim.classes == tuple("0123456789")
    assert float((logits.argmax(1) == batch.labels).float().mean()) > 0.9


def test_evaluate_gives_an_estimate_per_sample_arrays_flags_and_cost(victim, batch):
    out = wt.evaluate(victim, batch.inputs, batch.labels, threat="pgd", budget=wt.Budget(norm="Linf", eps="8/255", steps=5), seed=0, ids=batch.ids)
    assert 0 <= out.accuracy.low <= out.accuracy.value <= out.accuracy.high <= 1
    assert out.accuracy.n == 40
    assert out.correct.shape == out.predicted.shape == (1, 40)
    assert out.perturbed.shape == batch.inputs.shape
    assert float((out.perturbed - batch.inputs).abs().max()) <= 8 / 255 + 1e-6
    assert out.accuracy.value < (out.clean_predicted == out.labels).mean()
    assert out.cost.backward > 0
    assert out.cost.seconds > 0
    again = wt.evaluate(victim, batch.inputs, batch.labels, threat="pgd", budget=wt.Budget(norm="Linf", eps="8/255", steps=5), seed=0, ids=batch.ids)
    assert torch.equal(again.perturbed, out.perturbed)


def test_a_function_or_a_module_is_as_good_as_a_victim(victim, batch):
    by_function = wt.evaluate(lambda inputs: victim.module(inputs), batch.inputs, batch.labels, threat="contrast", severities=[3])
    by_module = wt.evaluate(victim.module, batch.inputs, batch.labels, threat="contrast", severities=[3])
    assert np.array_equal(by_function.predicted, by_module.predicted)


def test_a_budget_that_a_threat_cannot_heed_is_refused(victim, batch):
    with pytest.raises(BudgetError, match="fgsm has no queries"):
        wt.evaluate(victim, batch.inputs, batch.labels, threat="fgsm", budget=wt.Budget(queries=10))
    with pytest.raises(UnknownNameError, match="Did you mean 'pgd'"):
        wt.evaluate(victim, batch.inputs, batch.labels, threat="pdg")
    with pytest.raises(WindtunnelError, match="pgd cannot be made from"):
        wt.evaluate(victim, batch.inputs, batch.labels, threat="pgd", stepps=3)


def test_images_that_are_not_in_unit_range_are_refused(victim, batch):
    with pytest.raises(DataError, match=r"expected \[0, 1\]"):
        wt.evaluate(victim, batch.inputs * 255, batch.labels, threat="fgsm")


def test_a_module_in_training_mode_is_refused(batch):
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Dropout(), torch.nn.Linear(1024, 10))
    with pytest.raises(WindtunnelError, match="training mode"):
        wt.evaluate(module, batch.inputs, batch.labels, threat="fgsm")


def test_corrupt_takes_and_gives_uint8_images():
    images = np.random.default_rng(0).integers(0, 255, (3, 32, 32, 1)).astype(np.uint8)
    foggy = wt.corrupt(images, "fog", severity=3, seed=0)
    assert (foggy.dtype, foggy.shape) == (np.uint8, images.shape)
    assert not np.array_equal(foggy, images)
    assert np.array_equal(wt.corrupt(images, "fog", severity=0, seed=0), images)
    assert np.array_equal(wt.corrupt(images[1:2], "fog", severity=3, seed=0, ids=["1"]), foggy[1:2])


BENCHMARK = """\
benchmark: mine
version: 1
task: image-classification
data: digits[test]
samples: 20
threats:
  - {use: fgsm, eps: 1/255}
  - {use: contrast, severities: [2]}
headline: clean accuracy
"""


def test_assert_robust_passes_fails_with_all_figures_and_refuses_unknown_ones(victim, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(BENCHMARK)
    figures = wt.assert_robust(victim, benchmark=str(path), at_least={"clean": 0.5, "worst-case": 0.0, "contrast": 0.1})
    assert figures["worst-case"] <= min(figures["clean"], figures["contrast"])
    with pytest.raises(AssertionError, match=r"Not robust enough on mine \(fgsm\)[\s\S]*required at least 1.100"):
        wt.assert_robust(victim, benchmark=str(path), at_least={"clean": 0.5, "fgsm": 1.1})
    with pytest.raises(WindtunnelError, match="no figure 'pgd'"):
        wt.assert_robust(victim, benchmark=str(path), at_least={"pgd": 0.5})
