"""What every threat in the name table promises."""

import random
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from support.victims import answered, convolutional, images

from windtunnel.builtins import THREATS
from windtunnel.core.batch import Batch
from windtunnel.core.threat import Threat
from windtunnel.core.victim import Victim
from windtunnel.provenance import LIBRARIES
from windtunnel.sets import CORRUPTION_SETS
from windtunnel.threats.corruptions.corruption import Corruption

REQUIRED = {
    "shift": {"data": "mnist5k[test]"},
    "imagenet-p": {"perturbation": "rotate"},
    "worst-of": {"of": "keyboard-typos"},
    "shortcut": {"classes": 10},
}
QUICK = {
    "pgd": {"steps": 4},
    "apgd": {"steps": 4},
    "cw": {"steps": 10, "searches": 2},
    "autoattack": {"members": ["apgd-ce"]},
    "fab": {"steps": 5, "targets": 2},
    "ddn": {"steps": 60},
    "fmn": {"steps": 20},
    "hopskipjump": {"queries": 200, "evaluations": 20},
    "square": {"queries": 40},
}
EVERY = tuple(THREATS._builtin)
NAMES = tuple(name for name in EVERY if "/" not in name)
"""Our own; what the attacks of libraries keep is tested with these."""
MADE = tuple(name for name in NAMES if name != "imagenet-p" and THREATS.load(name).modality != "text")
"""Those that need nothing but a batch of images; sequences on disk: test_imagenet_p.py, texts: text/."""


def make(name, **arguments):
    return THREATS.load(name)(**{**REQUIRED.get(name, {}), **QUICK.get(name, {}), **arguments})


@pytest.fixture
def module():
    return convolutional()


@pytest.fixture
def batch(module):
    return answered(module, images(6))


def test_no_threat_needs_torch_to_be_configured_planned_and_described():
    required = {**REQUIRED, **{name: {"eps": "1"} for name in EVERY if "/" in name and THREATS.load(name).minimal}}
    code = (
        "import sys; from windtunnel.builtins import THREATS\n"
        f"for name in {EVERY!r}:\n"
        f"    threat = THREATS.load(name)(**{required!r}.get(name, {{}}))\n"
        "    threat.describe(), threat.levels, threat.passes(), threat.title, threat.measured_norm\n"
        "heavy = {'torch', 'torchattacks', 'torchvision', 'PIL', 'scipy', 'cv2', 'av'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("name", EVERY)
def test_the_class_knows_its_name_its_family_and_its_libraries(name):
    kind = THREATS.load(name)
    assert issubclass(kind, Threat)
    assert kind.use == name
    assert kind.family in ("clean", "attack", "corruption", "shift")
    assert kind.adaptive == (kind.family == "attack")
    assert kind.libraries
    assert set(kind.libraries) <= set(LIBRARIES)
    assert kind.__doc__


def test_each_corruption_of_the_table_is_in_one_of_three_sets_of_which_quick_is_a_selection():
    named = [name for part in ("common", "extra", "practical") for name in CORRUPTION_SETS[part]]
    assert sorted(named) == sorted(name for name in NAMES if issubclass(THREATS.load(name), Corruption))
    assert set(CORRUPTION_SETS["quick"]) <= set(CORRUPTION_SETS["common"])


@pytest.mark.parametrize("name", NAMES)
def test_defaults_are_complete_recorded_and_can_be_read_back(name):
    threat = THREATS.load(name)(**REQUIRED.get(name, {}))
    assert threat.levels == tuple(sorted(threat.levels))
    assert all(isinstance(level, Fraction) for level in threat.levels)
    assert threat.passes() >= 0
    assert THREATS.load(name)(**threat.arguments()) == threat
    assert threat.describe() == {"use": name, "version": THREATS.load(name).version, "arguments": threat.arguments()}
    assert hash(threat) == hash(THREATS.load(name)(**threat.arguments()))


@pytest.mark.parametrize("name", NAMES)
def test_unknown_arguments_and_changes_are_refused(name):
    with pytest.raises(ValidationError, match="colour"):
        make(name, colour="red")
    with pytest.raises(AttributeError, match="cannot assign"):
        make(name).use = "other"


@pytest.mark.parametrize("name", MADE)
def test_results_are_images_repeatable_byte_by_byte_and_made_without_global_randomness(name, module, batch):
    before = batch.inputs.clone()
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    first, second = (make(name)(Victim(module), batch, seed=3, keep=True) for _ in range(2))
    assert first.perturbed.shape == batch.inputs.shape
    assert first.perturbed.dtype == torch.float32
    assert first.perturbed.numpy().tobytes() == second.perturbed.numpy().tobytes()
    np.testing.assert_array_equal(first.predicted, second.predicted)
    assert (first.flags, first.cost) == (second.flags, second.cost)
    np.testing.assert_array_equal(first.confidence, second.confidence)
    np.testing.assert_array_equal(first.distance, second.distance)
    assert torch.equal(batch.inputs, before)
    assert torch.equal(torch.get_rng_state(), states[0])
    np.testing.assert_array_equal(np.random.get_state()[1], states[1])
    assert random.getstate() == states[2]


@pytest.mark.parametrize("name", [name for name in MADE if THREATS.load(name).family in ("attack", "corruption")])
def test_every_threat_that_should_change_inputs_changes_them(name, module, batch):
    out = make(name, **({"eps": "0.3"} if THREATS.load(name).family == "attack" else {}))(Victim(module), batch, keep=True)
    assert not torch.equal(out.perturbed, batch.inputs)
    assert (out.distance[-1] > 0).any()
    if THREATS.load(name).family == "attack":
        assert out.correct.mean() < 1


@pytest.mark.parametrize("name", [name for name in MADE if THREATS.load(name).family == "attack"])
def test_eps_0_is_the_identity_for_attacks(name, module, batch):
    out = make(name, eps=["0", "1/255"])(Victim(module), batch)
    assert (out.distance[0] == 0).all()
    assert out.correct[0].all()


@pytest.mark.parametrize("name", ["clean", "shift"])
def test_clean_and_shifted_data_are_left_as_they_are(name, module, batch):
    out = make(name)(Victim(module), batch, keep=True)
    assert torch.equal(out.perturbed, batch.inputs)
    assert out.correct.all()
    assert out.flags == ()


@pytest.mark.parametrize("name", [name for name in MADE if not THREATS.load(name).adaptive])
def test_blind_threats_are_byte_equal_for_any_batch_and_order(name, module):
    batch = answered(module, images(9))
    threat, victim = make(name), Victim(module)
    whole = threat(victim, batch, keep=True).perturbed
    for size in (1, 4):
        assert threat(victim, batch, micro_batch=size, keep=True).perturbed.numpy().tobytes() == whole.numpy().tobytes()
    order = [4, 8, 0, 2]
    assert torch.equal(threat(victim, batch.take(order), keep=True).perturbed, whole[order])


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 9), (3, 16, 16)])
def test_any_image_size_and_colour_will_do(name, shape):
    module = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(shape[0], 4)).eval()
    batch = answered(module, images(2, shape))
    assert make(name)(Victim(module), batch, keep=True).perturbed.shape == batch.inputs.shape


@pytest.mark.gpu
@pytest.mark.parametrize("name", MADE)
def test_an_accelerator_sees_the_same_draws(name, module, batch):
    here = make(name)(Victim(module), batch, keep=True)
    there = make(name)(Victim(convolutional().cuda()), Batch(batch.inputs.cuda(), batch.labels.cuda(), batch.ids), keep=True)
    torch.testing.assert_close(there.perturbed.cpu(), here.perturbed, rtol=0, atol=1e-4)
